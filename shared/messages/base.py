"""What is a message? Request, command or event: an envelope, a payload, and the subject it travels on.

Grammar (seven tokens; requests end at the version):

    canopy.<kind>.<organization>.<entity>.<name>.v<major>.<aggregate id>
"""

import re
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, Self, TypedDict, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.kit.errors import Stale

ROOT = "canopy"
SYSTEM: Literal["system"] = "system"
"""The organization token of what belongs to no organization."""

Organization = UUID | Literal["system"]
Actor = str

Item = TypeVar("Item", bound=BaseModel)

_TOKEN = re.compile(r"^[a-z][a-z0-9_]*$")
_ACTOR = r"^(user|api_key|system):[0-9a-f-]{36}$"


class Facts(BaseModel):
    """A part of a payload or a reply. Unknown fields are ignored: the other side may be newer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MessageEnvelope(TypedDict):
    """What every message carries beside its payload."""

    id: UUID
    time: datetime
    organization: Organization
    actor: Actor
    correlation_id: UUID
    causation_id: UUID | None


class AggregateEnvelope(MessageEnvelope):
    """The envelope of a command or an event: it concerns one aggregate."""

    aggregate_id: UUID
    aggregate_version: int


class Message(Facts):
    """One message on the bus. Subclasses name their entity, name, owner and major version as class keywords."""

    kind: ClassVar[str]
    entity: ClassVar[str]
    name: ClassVar[str]
    owner: ClassVar[str]
    major: ClassVar[int]
    registry: ClassVar[dict[str, type["Message"]]] = {}

    id: UUID
    time: datetime
    organization: Organization
    actor: Actor = Field(pattern=_ACTOR)
    correlation_id: UUID
    causation_id: UUID | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, entity: str = "", name: str = "", owner: str = "", major: int = 1, **options: Any
    ) -> None:
        super().__pydantic_init_subclass__()
        if not entity:
            return
        if not (_TOKEN.match(entity) and _TOKEN.match(name) and owner):
            raise TypeError(f"{cls.__name__}: entity and name are lower-case tokens, and the owner is named")
        cls.entity, cls.name, cls.owner, cls.major = entity, name, owner, major
        for option, value in options.items():
            if option not in cls.__class_vars__:
                raise TypeError(f"{cls.__name__}: {option} is no option of a message")
            setattr(cls, option, value)
        key = f"{cls.kind}:{cls.message_type()}"
        if key in Message.registry:
            raise TypeError(f"{key} is declared twice")
        Message.registry[key] = cls

    @classmethod
    def message_type(cls) -> str:
        """`resource.started.v1`"""
        return f"{cls.entity}.{cls.name}.v{cls.major}"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def type(self) -> str:
        return self.message_type()

    @classmethod
    def pattern(cls, organization: UUID | str = "*") -> str:
        """The subject that subscribers filter on: every message of this class, of one organization or of all."""
        return f"{ROOT}.{cls.kind}.{organization}.{cls.entity}.{cls.name}.v{cls.major}"

    def subject(self) -> str:
        return self.pattern(self.organization)

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Raise pydantic.ValidationError when the body is not this message."""
        return cls.model_validate_json(body)


class _Aggregate(Message):
    """A message about one aggregate: its id is the last token of the subject."""

    aggregate_id: UUID
    aggregate_version: int = Field(ge=0)

    @classmethod
    def pattern(cls, organization: UUID | str = "*") -> str:
        return f"{super().pattern(organization)}.*"

    def subject(self) -> str:
        return f"{super().pattern(self.organization)}.{self.aggregate_id}"


class Event(_Aggregate):
    """What is now true. Past participle; emitted by the owner of the entity only; never holds a secret."""

    kind = "event"


class Command(_Aggregate):
    """Work to be done at least once by its owner. Imperative; `senders` may publish it beside the owner."""

    kind = "command"
    senders: ClassVar[tuple[str, ...]] = ()


class Request(Message):
    """A question or a mutation the owner answers at once with `reply` or with an error. `askers` may send it."""

    kind = "request"
    reply: ClassVar[type[BaseModel]]
    askers: ClassVar[tuple[str, ...]] = ("gateway",)
    timeout_s: ClassVar[float] = 2.0


class Mutation(Request):
    """A request that changes something: repeatable with the same `idempotency_key`, guarded by `expected_version`.

    It waits longer for its answer than a read does: who hears nothing does not know whether it happened.
    """

    timeout_s: ClassVar[float] = 10.0

    idempotency_key: str = Field(min_length=1, max_length=255)
    route: str
    """Method and path template of the REST route: one key may be used once per route."""
    role: str = SYSTEM
    """Role of the principal, for guards that depend on it (force)."""
    expected_version: int | None = None

    def check_version(self, noun: str, version: int) -> None:
        """Compare what the client saw (`If-Match`) with what is stored. Raises Stale."""
        if self.expected_version not in {None, version}:
            raise Stale(f"the {noun} is at version {version}")


class Page(Facts, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


class ListRequest(Request):
    """A request for one page. `cursor` is opaque and comes from the previous page."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=2000)
    sort: str | None = Field(default=None, max_length=100)


def message_class(kind: str, message_type: str) -> type[Message] | None:
    """The class of a kind and a type, or None when nobody here knows it."""
    return Message.registry.get(f"{kind}:{message_type}")


def classes_of(kind: str) -> list[type[Message]]:
    """All declared classes of a kind, by type; import `shared.messages.catalog` first to have them all."""
    return [cls for key, cls in sorted(Message.registry.items()) if key.startswith(f"{kind}:")]
