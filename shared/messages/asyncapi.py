"""How do the messages look to a stranger's tools? An AsyncAPI 3.0 document of every class in the registry."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.messages import catalog
from shared.messages.base import Message, Request, classes_of

_KINDS = ("event", "command", "request")
_REFERENCE = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """All events, commands and requests: a channel, a message and an operation each; replies of requests beside."""
    catalog.load()
    classes = [cls for kind in _KINDS for cls in classes_of(kind)]
    replies = {cls.reply for cls in classes if issubclass(cls, Request)}
    models: list[type[BaseModel]] = [*classes, *sorted(replies, key=lambda reply: reply.__name__)]
    references, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REFERENCE
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Canopy messages",
            "version": "1.0.0",
            "description": "Subjects on NATS: <root>.<kind>.<organization>.<entity>.<name>.v<major>[.<aggregate id>]",
        },
        "defaultContentType": "application/json",
        "channels": {_name(cls): _channel(cls) for cls in classes},
        "operations": {f"{_verb(cls)}_{_name(cls)}": _operation(cls) for cls in classes},
        "components": {
            "messages": {_name(cls): _message(cls, references[cls, "serialization"]) for cls in classes},
            "schemas": definitions.get("$defs", {}),
        },
    }


def _name(cls: type[Message]) -> str:
    return f"{cls.kind}.{cls.message_type()}".replace(".", "_")


def _verb(cls: type[Message]) -> str:
    """From the owner's side: it says its events and hears its commands and requests."""
    return "send" if cls.kind == "event" else "receive"


def _channel(cls: type[Message]) -> dict[str, Any]:
    return {
        "address": _address(cls),
        "description": _description(cls),
        "messages": {_name(cls): {"$ref": f"#/components/messages/{_name(cls)}"}},
        "parameters": {name: {"description": name.replace("_", " ")} for name in _parameters(cls)},
    }


def _address(cls: type[Message]) -> str:
    address = cls.pattern("{organization}")
    return f"{address.removesuffix('*')}{{aggregate_id}}" if address.endswith(".*") else address


def _parameters(cls: type[Message]) -> list[str]:
    return ["organization", "aggregate_id"] if "{aggregate_id}" in _address(cls) else ["organization"]


def _operation(cls: type[Message]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": _verb(cls),
        "channel": {"$ref": f"#/channels/{_name(cls)}"},
        "tags": [{"name": cls.owner}],
    }
    if issubclass(cls, Request):
        operation["reply"] = {"address": {"location": "$message.header#/reply"}}
    return operation


def _message(cls: type[Message], payload: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": cls.message_type(),
        "title": cls.__name__,
        "summary": _description(cls),
        "contentType": "application/json",
        "payload": payload,
    }
    if issubclass(cls, Request):
        message["x-reply"] = cls.reply.__name__
    return message


def _description(cls: type[Message]) -> str:
    """The class's own docstring: an inherited one would describe another."""
    return (cls.__dict__.get("__doc__") or "").strip().partition("\n")[0]
