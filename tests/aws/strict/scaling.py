"""Application Auto Scaling, as far as it moves the desired count of a service.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.core.exceptions import JsonRESTError

from .world import world_of

_register = ApplicationAutoscalingBackend.register_scalable_target


def service_of(backend: ApplicationAutoscalingBackend, resource: str):
    _, cluster, name = resource.split("/")
    ecs = world_of(backend.account_id).regions.get(backend.region_name)
    service = ecs.services.get((cluster, name)) if ecs else None
    if service is None or service.status != "ACTIVE":
        raise AWSValidationException(f"ECS service doesn't exist: {resource}")
    return service


def register(backend, namespace, r_id, dimension, *rest, **named):
    target = _register(backend, namespace, r_id, dimension, *rest, **named)
    if namespace == "ecs":
        # Every call moves the present count into the range, at once.
        service = service_of(backend, r_id)
        service.desired = min(max(service.desired, int(target.min_capacity)), int(target.max_capacity))
        service.reconcile()
    return target


def missing(what: str, resource: str) -> JsonRESTError:
    return JsonRESTError(
        "ObjectNotFoundException", f"No {what} found for service namespace: ecs, resource ID: {resource}"
    )


def deregister(backend, namespace, r_id, dimension):
    if r_id not in backend.targets.get(dimension, {}):
        raise missing("scalable target", r_id)
    del backend.targets[dimension][r_id]
    # Its policies and scheduled actions go with it.
    kept = {key: policy for key, policy in backend.policies.items() if policy.resource_id != r_id}
    backend.policies = kept
    backend.scheduled_actions = [action for action in backend.scheduled_actions if action.resource_id != r_id]


def delete_policy(backend, policy_name, service_namespace, resource_id, scalable_dimension):
    for key, policy in backend.policies.items():
        if (policy.policy_name, policy.resource_id) == (policy_name, resource_id):
            policy.delete_alarms(backend.account_id, backend.region_name)
            del backend.policies[key]
            return
    raise missing("scaling policy", resource_id)


ApplicationAutoscalingBackend.deregister_scalable_target = deregister
ApplicationAutoscalingBackend.delete_scaling_policy = delete_policy
ApplicationAutoscalingBackend._ecs_service_exists_for_target = lambda backend, r_id: bool(service_of(backend, r_id))
ApplicationAutoscalingBackend.register_scalable_target = register
