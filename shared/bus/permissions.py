"""Who may say and hear what on the bus? Least rights per NATS user, generated from the messages and the routers.

`python -m shared.bus.permissions` prints the users; their passwords stay variables that the server reads from its
environment. A forbidden JetStream call looks like a time-out to its caller: the reason is in the server's log.
"""

import json
from dataclasses import dataclass, field
from uuid import UUID

from shared.bus.router import Router
from shared.bus.topology import consumers_of, load_router, present_services
from shared.messages import catalog
from shared.messages.base import Command, Request, classes_of
from shared.messages.subjects import (
    ALL_BUDGETS,
    ALL_DEAD,
    ALL_EVENTS,
    ALL_METRICS,
    BUDGETS_STREAM,
    CREDENTIALS_BUCKET,
    CREDENTIALS_STREAM,
    DEAD_STREAM,
    EVENTS_STREAM,
    dead_pattern,
    stranger_pattern,
    timer_pattern,
)

CREDENTIAL_READERS = ("monitor", "recovery")
CLOUD_CALLERS = ("provisioner", *CREDENTIAL_READERS)
"""Who calls clouds, and so shares the budgets of their APIs."""
DATABASE_OF = {"notifier": "monitor"}
"""Two processes over one database share its outbox, so each may publish what the other wrote."""


@dataclass(frozen=True, slots=True)
class User:
    """One NATS user: the subjects it may publish and subscribe to, and whether it may answer requests."""

    name: str
    publish: list[str]
    subscribe: list[str]
    answers: bool = False
    password: str = field(default="")


def service_user(router: Router) -> User:
    """The rights of one service."""
    catalog.load()
    service = router.service
    speakers = {service, DATABASE_OF.get(service, service)} | {
        process for process, database in DATABASE_OF.items() if database == service
    }
    publish = ["$JS.API.INFO", f"$JS.API.STREAM.INFO.{EVENTS_STREAM}", dead_pattern(service)]
    for speaker in sorted(speakers):
        publish += _spoken_by(speaker)
    for consumer in consumers_of(router):
        stream, durable = consumer.stream, consumer.config.durable_name
        publish += [
            f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
            f"$JS.ACK.{stream}.{durable}.>",
        ]
    if service == "provisioner":
        publish += [f"$KV.{CREDENTIALS_BUCKET}.>", f"$JS.API.STREAM.INFO.{CREDENTIALS_STREAM}"]
    if service in CREDENTIAL_READERS:
        publish += [f"$JS.API.STREAM.INFO.{CREDENTIALS_STREAM}", f"$JS.API.DIRECT.GET.{CREDENTIALS_STREAM}.>"]
    if service in CLOUD_CALLERS:
        publish += [ALL_BUDGETS, f"$JS.API.DIRECT.GET.{BUDGETS_STREAM}.>"]
    if service == "monitor":
        publish.append(ALL_METRICS)
    subscribe = [f"_INBOX.{service}.>", *(cls.pattern() for cls in router.requests)]
    if service == "gateway":
        subscribe += [ALL_EVENTS, ALL_METRICS]
    if service in CLOUD_CALLERS:
        subscribe.append(ALL_BUDGETS)
    return User(service, _unique(publish), _unique(subscribe), answers=bool(router.requests))


def _spoken_by(service: str) -> list[str]:
    subjects = [cls.pattern() for cls in classes_of("event") if cls.owner in {service, "*"}]
    subjects += [
        cls.pattern()
        for cls in classes_of("command")
        if issubclass(cls, Command) and (cls.owner == service or service in cls.senders)
    ]
    return [*subjects, *_asked_by(service), timer_pattern(service)]


def _asked_by(user: str) -> list[str]:
    requests = (cls for cls in classes_of("request") if issubclass(cls, Request))
    return [cls.pattern() for cls in requests if user in cls.askers]


def topology_user() -> User:
    """The deploy job: streams, consumers and buckets, no message of anybody."""
    publish = ["$JS.API.INFO", "$JS.API.STREAM.>", "$JS.API.CONSUMER.>", f"$KV.{CREDENTIALS_BUCKET}.>"]
    return User("topology", publish, ["_INBOX.topology.>"])


def operator_user() -> User:
    """`canopy dead` and `canopy status`: reads and removes dead letters, brings them back."""
    publish = [
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.INFO.*",
        "$JS.API.CONSUMER.LIST.*",
        f"$JS.API.CONSUMER.CREATE.{DEAD_STREAM}.>",
        f"$JS.API.CONSUMER.INFO.{DEAD_STREAM}.*",
        f"$JS.API.CONSUMER.DELETE.{DEAD_STREAM}.*",
        f"$JS.API.CONSUMER.MSG.NEXT.{DEAD_STREAM}.*",
        f"$JS.API.STREAM.MSG.GET.{DEAD_STREAM}",
        f"$JS.API.STREAM.MSG.DELETE.{DEAD_STREAM}",
        ALL_DEAD.replace(".dead.", ".replay."),
        *_asked_by("operator"),
    ]
    return User("operator", publish, ["_INBOX.operator.>"])


def stranger_user(name: str, organization: UUID, password: str) -> User:
    """A subscriber of one organization's events: one consumer with that filter and no wider, its own inbox.

    The create call carries name and filter in its subject and the server compares them with the body, so that the
    permission is the filter. No MSG.GET: that would read any message of the stream.
    """
    publish = [
        f"$JS.API.CONSUMER.CREATE.{EVENTS_STREAM}.{name}.{stranger_pattern(organization)}",
        f"$JS.API.CONSUMER.INFO.{EVENTS_STREAM}.{name}",
        f"$JS.API.CONSUMER.MSG.NEXT.{EVENTS_STREAM}.{name}",
        f"$JS.ACK.{EVENTS_STREAM}.{name}.>",
    ]
    return User(name, publish, [f"_INBOX.{name}.>"], password=password)


def render(users: list[User]) -> str:
    """The `users` block of the server's configuration."""
    return "users: [\n" + "\n".join(_render_user(user) for user in users) + "\n]\n"


def _render_user(user: User) -> str:
    password = json.dumps(user.password) if user.password else f"$CANOPY_NATS_{user.name.upper()}_PASSWORD"
    answers = ' allow_responses: { max: 1, expires: "15s" },' if user.answers else ""
    return (
        f"  {{ user: {json.dumps(user.name)}, password: {password}, permissions: {{{answers}\n"
        f"    publish: {{ allow: {json.dumps(user.publish)} }},\n"
        f"    subscribe: {{ allow: {json.dumps(user.subscribe)} }} }} }}"
    )


def all_users() -> list[User]:
    """Every service that is here, the deploy job and the operator."""
    return [*(service_user(load_router(name)) for name in present_services()), topology_user(), operator_user()]


def _unique(items: list[str]) -> list[str]:
    return list(dict.fromkeys(items))


if __name__ == "__main__":
    print(render(all_users()), end="")  # noqa: T201 - a generator prints
