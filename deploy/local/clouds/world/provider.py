"""What does a provider's package bring to be served?"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from deploy.local.clouds.estate import Planned
from deploy.local.clouds.faults import Fault
from deploy.local.clouds.issuers import Issuers
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.things import Thing, Things
from deploy.local.load.series import Push

if TYPE_CHECKING:
    from deploy.local.clouds.world.gardener import Gardener


@dataclass(frozen=True)
class Answer:
    """What goes over the wire: `document` as JSON, or `body` as it is."""

    status: int = 200
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    result_ids: Sequence[str] = ()
    """What a mutation made or changed, for the ledger."""
    repeated: bool = False
    """An idempotency token showed that this call was answered before: nothing was done."""

    def payload(self) -> bytes:
        if self.body is not None:
            return self.body
        return b"" if self.document is None else json.dumps(self.document).encode()


class Refusal(Exception):
    """A call that the provider refuses. `kind` is one of KINDS; the provider's package writes status and body for it.

    `code` and `message` are the provider's own words where the kind alone does not say them, `field` the wrong field.
    """

    KINDS = (
        "unauthenticated", "expired", "forbidden", "not_found", "no_route", "invalid", "conflict", "wrong_state",
        "throttled", "quota", "no_capacity", "internal", "unavailable",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        message: str = "",
        *,
        code: str = "",
        field: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(kind, message)
        if kind not in self.KINDS:
            raise ValueError(f"no kind of refusal: {kind}")
        self.kind = kind
        self.message = message or kind.replace("_", " ")
        self.code = code
        self.field = field
        self.status = status
        self.retry_after_s = retry_after_s


def _no_number(name: str) -> None:
    """Python reads NaN and Infinity, which JSON does not have, and one of them as a time would stop the clock."""
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request, read to its end. Header names are lower case, the path is decoded, `query` has first values."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    """`http://127.0.0.1:5103`, as the client reached us: for the addresses that an answer names."""

    def document(self) -> dict[str, Any]:
        """The JSON object of the body, empty without one. Raises Refusal `invalid`."""
        try:
            found = json.loads(self.body or b"{}", parse_constant=_no_number)
        except ValueError as error:
            raise Refusal("invalid", "The request body is not valid JSON.") from error
        if not isinstance(found, dict):
            raise Refusal("invalid", "The request body is not a JSON object.")
        return found


@dataclass(frozen=True)
class Call:
    """One authenticated call of an action. `fault` is a fault that does not refuse it: see `Fault.fails_operation`…

    `push_of` says what a machine's load is held at, `is_lost` whether every call of a region is refused just now.
    """

    http: HttpRequest
    account: Account
    region: str
    path: Mapping[str, str]
    things: Things
    now_s: float
    state_seconds: float
    fault: Fault | None = None
    push_of: Callable[[str], Push | None] = lambda _: None
    is_lost: Callable[[str], bool] = lambda _: False

    @property
    def query(self) -> Mapping[str, str]:
        return self.http.query

    def document(self) -> dict[str, Any]:
        return self.http.document()

    def later(self, share: float = 1.0) -> float:
        """The time at which a change of state that begins now is done: `share` of the settings' `state_seconds`."""
        return self.now_s + share * self.state_seconds

    def new(self, kind: str, identifier: str, state: str, facts: dict[str, Any], **more: Any) -> Thing:
        """Make a thing of this account, in the call's region unless `region` says another."""
        region = more.pop("region", self.region)
        account, provider = self.account.account_id, self.account.provider
        return self.things.put(
            Thing(provider, account, region, kind, identifier, state, facts, created_s=self.now_s, **more)
        )

    def save(self, thing: Thing) -> Thing:
        """Let a change of a thing be kept."""
        return self.things.put(thing)

    def list(self, kind: str, region: str | None = None) -> list[Thing]:
        """As the caller sees them: a fault of stale lists leaves out what is younger than it says."""
        found = self.things.of(self.account.provider, self.account.account_id, kind, region)
        if self.fault is not None and self.fault.stale_s:
            found = [each for each in found if each.created_s <= self.now_s - self.fault.stale_s]
        return found

    def get(self, kind: str, identifier: str) -> Thing | None:
        return self.things.get(self.account.provider, self.account.account_id, kind, identifier)

    def by_token(self, kind: str, token: str) -> Thing | None:
        return self.things.by_token(self.account.provider, self.account.account_id, kind, token)

    def need(self, kind: str, identifier: str, message: str = "") -> Thing:
        """The thing; raises Refusal `not_found`."""
        found = self.get(kind, identifier)
        if found is None:
            raise Refusal("not_found", message)
        return found

    @property
    def fails_operation(self) -> bool:
        """Whether the long work that this call begins is to end badly."""
        return self.fault is not None and self.fault.fail_operation


Handler = Callable[[Call], Answer]


class Action:
    """One operation of the API: `Action("POST", "/v2/droplets", "droplets.create", handler)`.

    In the path `{name}` takes one segment and `{name:path}` the rest. `mutates` defaults to: anything but GET and HEAD.
    """

    def __init__(self, method: str, path: str, name: str, handler: Handler, *, mutates: bool | None = None) -> None:
        self.method = method
        self.name = name
        self.handler = handler
        self.mutates = method not in {"GET", "HEAD"} if mutates is None else mutates
        segments = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
        self._pattern = re.compile(re.sub(r"\\{(\w+):path\\}", r"(?P<\1>.+)", segments))

    def match(self, request: HttpRequest) -> Mapping[str, str] | None:
        """The path's parameters; None when this is another action's request."""
        found = self._pattern.fullmatch(request.path) if request.method == self.method else None
        return None if found is None else found.groupdict()


class Provider(ABC):
    """A provider's wire protocol. One object serves all accounts; it keeps no state but whom they trust."""

    name: ClassVar[str]
    stopped_state: ClassVar[str]
    """The state of a machine that somebody stopped."""

    @abstractmethod
    def plant(self, gardener: Gardener, planned: Planned) -> Thing:
        """A machine of an estate, made by the gardener's calls, with its volumes where the cloud has volumes."""

    @abstractmethod
    def name_of(self, machine: Thing) -> str:
        """What its owner calls it."""

    def __init__(self) -> None:
        self.issuers = Issuers()
        self.trusted: list[Mapping[str, Any]] = []
        """What `POST /_sim/trust` was told: the provider's package says in which fields."""

    @abstractmethod
    def new_accounts(self) -> list[Account]:
        """For a first start: the demonstration's, a second one without provider, a read-only and an expired one."""

    @abstractmethod
    def actions(self) -> Sequence[Action]:
        """Every operation that is served; the first that matches answers."""

    @abstractmethod
    def authenticate(self, request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
        """Whose request is it? Raises Refusal `unauthenticated`, `expired`."""

    @abstractmethod
    def region_of(self, request: HttpRequest, path: Mapping[str, str], things: Things, account: Account) -> str:
        """Where the call goes, for faults and counts; `global` for what belongs to no region."""

    @abstractmethod
    def refuse(self, refusal: Refusal) -> Answer:
        """The provider's own status and error body for a refusal."""

    def forbidden(self, action: Action, request: HttpRequest) -> Refusal:  # noqa: ARG002 - for those that name it
        """The refusal of a change by an account that may only read; a provider that names the permission does so."""
        return Refusal("forbidden")

    def public_actions(self) -> Sequence[Action]:
        """What is served without authentication (a token endpoint): its handler authenticates itself."""
        return ()

    def describe(self, thing: Thing) -> dict[str, Any]:
        """A thing as the controls list it, whatever the provider: at least id, account, region, state, tags, token."""
        return {
            "id": thing.id,
            "account": thing.account,
            "region": thing.region,
            "state": thing.state,
            "token": thing.token,
            "tags": thing.facts.get("tags", {}),
        }
