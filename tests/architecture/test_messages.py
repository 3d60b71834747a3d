"""Do all messages follow the grammar, and is each of them handled by its owner?"""

import pytest

from shared.bus.topology import load_router, present_services
from shared.messages import catalog
from shared.messages.base import Command, Event, Request, classes_of

catalog.load()
PROCESSES = ("gateway", "provisioner", "monitor", "notifier", "costs", "recovery")
REQUESTS = [cls for cls in classes_of("request") if cls.entity != "toy"]
COMMANDS = [cls for cls in classes_of("command") if cls.entity != "toy"]
EVENTS = [cls for cls in classes_of("event") if cls.entity != "toy"]


def ids(cls: type) -> str:
    return cls.__name__


def test_every_process_is_present() -> None:
    assert sorted(present_services()) == sorted(PROCESSES)


@pytest.mark.parametrize("cls", REQUESTS, ids=ids)
def test_every_request_is_answered_by_its_owner(cls: type[Request]) -> None:
    """A request nobody answers is a 503 for ever."""
    assert cls in load_router(cls.owner).requests


@pytest.mark.parametrize("cls", COMMANDS, ids=ids)
def test_every_command_is_done_by_its_owner(cls: type[Command]) -> None:
    """A command nobody does stays in its work queue for ever."""
    router = load_router(cls.owner)
    assert cls in router.commands or cls in router.programs


@pytest.mark.parametrize("cls", EVENTS, ids=ids)
def test_every_event_is_a_past_participle(cls: type[Event]) -> None:
    """Events say what is now true; an imperative name would be a command in disguise."""
    assert cls.name.split("_")[-1].endswith(("ed", "en", "t", "ne"))


@pytest.mark.parametrize("cls", [*REQUESTS, *COMMANDS, *EVENTS], ids=ids)
def test_every_message_says_what_it_means_or_its_parent_does(cls: type) -> None:
    assert cls.__mro__[0].__doc__ or cls.__mro__[1].__doc__


@pytest.mark.parametrize("process", PROCESSES)
def test_handlers_are_named_after_their_messages(process: str) -> None:
    """One grep for the message's name finds publisher, handler and test."""
    router = load_router(process)
    for cls, handler in router.events.items():
        assert handler.__name__.startswith("on_"), f"{handler.__name__} of {cls.__name__}"
