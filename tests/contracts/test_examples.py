"""Does every published example parse, and does every reader ignore what it does not know?"""

import json

import pytest

from deploy.contracts import CONTRACTS
from shared.messages import catalog
from shared.messages.base import Message, classes_of

catalog.load()
CLASSES = [cls for kind in ("event", "command", "request") for cls in classes_of(kind) if cls.entity != "toy"]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.kind}-{cls.message_type()}")
def test_an_example_is_a_message_of_its_class(cls: type[Message]) -> None:
    """A stranger writes against the examples: one that our own models refuse would be a lie."""
    body = (CONTRACTS / cls.kind / f"{cls.message_type()}.example.json").read_bytes()
    message = cls.from_bytes(body)
    assert json.loads(message.to_bytes()) == json.loads(body)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.kind}-{cls.message_type()}")
def test_a_newer_field_does_not_trouble_an_older_reader(cls: type[Message]) -> None:
    body = json.loads((CONTRACTS / cls.kind / f"{cls.message_type()}.example.json").read_bytes())
    body["a_field_of_the_future"] = {"nested": True}
    assert cls.from_bytes(json.dumps(body).encode()).subject() == cls.from_bytes(json.dumps(body).encode()).subject()
