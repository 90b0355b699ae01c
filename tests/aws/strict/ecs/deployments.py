"""Operations on service deployments and service revisions."""

from ..errors import AwsError
from .shifting import continue_service_deployment
from .state import Ecs, invalid, limit


def records(ecs: Ecs):
    return [d.record for service in ecs.services.values() for d in service.history]


def list_service_deployments(ecs: Ecs, params: dict) -> dict:
    """The newest first."""
    cluster = ecs.cluster(params.get("cluster"))
    service = ecs.service(cluster, params["service"])
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    created, wanted = params.get("createdAt", {}), params.get("status", [])
    found = [
        deployment.record.brief()
        for deployment in service.history
        if (not wanted or deployment.record.status in wanted)
        and created.get("after", 0) <= deployment.record.created <= created.get("before", float("inf"))
    ]
    return {"serviceDeployments": found}


def describe_service_deployments(ecs: Ecs, params: dict) -> dict:
    arns = params["serviceDeploymentArns"]
    limit(arns, 20, "serviceDeploymentArns")
    known = {record.arn: record for record in records(ecs)}
    return {
        "serviceDeployments": [known[arn].described() for arn in arns if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known],
    }


def describe_service_revisions(ecs: Ecs, params: dict) -> dict:
    arns = params["serviceRevisionArns"]
    limit(arns, 20, "serviceRevisionArns")
    known = {d.revision_arn: d for service in ecs.services.values() for d in service.history}
    return {
        "serviceRevisions": [known[arn].described_revision() for arn in arns if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known],
    }


def stop_service_deployment(ecs: Ecs, params: dict) -> dict:
    found = [record for record in records(ecs) if record.arn == params["serviceDeploymentArn"]]
    if not found:
        raise AwsError(
            "ServiceDeploymentNotFoundException",
            "The service deploy ARN that you specified in the StopServiceDeployment doesn't exist.",
        )
    record = found[0]
    service = record.deployment.service
    if record.status not in ("PENDING", "IN_PROGRESS"):
        raise AwsError("ConflictException", "The service deployment is not in a state that can be stopped.")
    if service.completed is None:
        raise invalid("The service deployment cannot be rolled back: there is no previous service revision.")
    record.move("ROLLBACK_REQUESTED")
    deployment = record.deployment
    deployment.rollout, deployment.reason = "FAILED", f"ECS deployment {deployment.id} was stopped."
    service.roll_back(deployment, "Service deployment rolled back because of a StopServiceDeployment request.")
    return {"serviceDeploymentArn": record.arn}


OPERATIONS = {
    "ListServiceDeployments": list_service_deployments,
    "DescribeServiceDeployments": describe_service_deployments,
    "DescribeServiceRevisions": describe_service_revisions,
    "StopServiceDeployment": stop_service_deployment,
    "ContinueServiceDeployment": continue_service_deployment,
}
