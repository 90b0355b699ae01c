"""The errors of EC2 that several parts share.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from .errors import AwsError

NOT_FOUND = {
    "vpc": ("InvalidVpcID.NotFound", "vpc ID"),
    "subnet": ("InvalidSubnetID.NotFound", "subnet ID"),
    "igw": ("InvalidInternetGatewayID.NotFound", "internetGateway ID"),
    "rtb": ("InvalidRouteTableID.NotFound", "routeTable ID"),
    "sg": ("InvalidGroup.NotFound", "security group"),
    "eipalloc": ("InvalidAllocationID.NotFound", "allocation ID"),
    "nat": ("NatGatewayNotFound", "Nat Gateway"),
    "vpce": ("InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id"),
    "lt": ("InvalidLaunchTemplateId.NotFound", "launch template ID"),
    "eni": ("InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
}


def not_found(object_id: str) -> AwsError:
    code, noun = NOT_FOUND.get(object_id.split("-")[0], ("InvalidID", "ID"))
    return AwsError(code, f"The {noun} '{object_id}' does not exist")


def dependencies(noun: str, object_id: str) -> AwsError:
    return AwsError("DependencyViolation", f"The {noun} '{object_id}' has dependencies and cannot be deleted.")
