"""What the API models say of an operation's input."""

from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator


@cache
def model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def fault(service: str, operation: str, params: dict) -> str | None:
    """What the API model refuses: missing or unknown members, wrong types, unknown enum values."""
    shape = model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(params, shape)
    return report.generate_report() if report.has_errors() else unknown_word(params, shape, "")


def unknown_word(value, shape, name: str) -> str | None:
    inner = []
    if shape.type_name == "structure":
        inner = [unknown_word(item, shape.members[member], member) for member, item in value.items()]
    elif shape.type_name == "list":
        inner = [unknown_word(item, shape.member, name) for item in value]
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        return f"{name} should be one of {', '.join(shape.enum)}."
    return next((fault for fault in inner if fault), None)


def drop_nulls(value):
    """A null is an absent member."""
    if isinstance(value, dict):
        return {name: drop_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [drop_nulls(member) for member in value]
    return value
