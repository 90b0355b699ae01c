"""Application Auto Scaling, as far as it moves the desired count of a service.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

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


ApplicationAutoscalingBackend._ecs_service_exists_for_target = lambda backend, r_id: bool(service_of(backend, r_id))
ApplicationAutoscalingBackend.register_scalable_target = register
