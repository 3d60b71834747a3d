"""Who asks, and how does a route ask the owner of its noun? `needs(permission)` gives a route its Caller.

A route file of a noun:

    Reader = Annotated[Caller, Depends(needs(Permission.RESOURCES_READ))]

    @router.get("/resources/{resource}", response_model=Resource)
    async def get_resource(resource: UUID, caller: Reader) -> Response:
        return await caller.ask(GetResource, resource=resource)
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec
import structlog
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from services.gateway.api.observation import route_template
from services.gateway.api.problems import correlation_of
from services.gateway.domain.rate_limits import RouteKind
from shared.bus.replies import VERSION, Reply, invalid, raise_problem
from shared.kit.errors import FieldError, InvalidInput, PermissionDenied, Stale
from shared.kit.ids import new_id
from shared.messages.base import Mutation, Request
from shared.messages.context import Context
from shared.messages.operations import Operation
from shared.security.permissions import Permission
from shared.security.principals import Principal

if TYPE_CHECKING:
    from services.gateway.api.app import Doors

M = TypeVar("M", bound=Request)

_ENTITY_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')
_READS = frozenset({"GET", "HEAD"})
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Caller:
    """The principal behind one HTTP request, and the way to the owners of the nouns it asks for."""

    principal: Principal
    http: HttpRequest
    doors: "Doors"

    @property
    def organization(self) -> UUID:
        return self.principal.organization

    @property
    def context(self) -> Context:
        """On whose behalf: for work in the gateway's own database."""
        return Context(self.principal.organization, self.principal.actor, correlation_of(self.http))

    def require(self, permission: Permission) -> None:
        """For a permission that depends on the input (`force`). Raises PermissionDenied."""
        if not self.principal.may(permission):
            raise PermissionDenied(f"this needs the permission {permission}")

    async def ask(
        self, cls: type[Request], *, status_code: int = 200, location: str | None = None, **payload: Any
    ) -> Response:
        """Ask the owner and pass its reply through as it is. Raises the owner's problem, Unavailable, TimedOut.

        `payload` are the request's own fields; envelope, idempotency key (the client's or a fresh one), route, role and
        `If-Match` are added here. `location` is a template for the reply's `id`: "/api/users/{id}". 204 drops the body.
        The HTTP status is `status_code`, since `status` is a filter of many lists.
        """
        reply = await self._reply(cls, payload)
        if status_code == 204:
            return Response(status_code=204)
        headers = _entity_tag(reply)
        if location is not None:
            headers["Location"] = location.format(id=msgspec.json.decode(reply.body)["id"])
        return Response(reply.body, status_code, headers, media_type="application/json")

    async def begin(self, cls: type[Mutation], *, location: str | None = None, **payload: Any) -> Response:
        """Begin long work: 202 with `operation` in the body, which can be read at once under /api/operations/{id}.

        An owner that found nothing to do answers with an `operation` that is null: then it is 200.
        `location` is a template for the target's `id` ("/api/cloud/resources/{id}"); default: the operation's address.
        """
        self.doors.rate_limits.count(self.principal.actor, RouteKind.LONG_WORK)
        reply = await self._reply(cls, payload)
        begun = msgspec.json.decode(reply.body)["operation"]
        if begun is None:
            return Response(reply.body, 200, _entity_tag(reply), media_type="application/json")
        operation = Operation.model_validate(begun)
        await self._keep(operation)
        address = (location or "/api/operations/{operation}").format(id=operation.target.id, operation=operation.id)
        headers = {**_entity_tag(reply), "Location": address}
        return Response(reply.body, 202, headers, media_type="application/json")

    async def ask_for(self, cls: type[Request], **payload: Any) -> Any:
        """The reply as the request's reply model, for routes that put several answers together."""
        reply = await self._reply(cls, payload)
        return cls.reply.model_validate_json(reply.body)

    async def _reply(self, cls: type[Request], payload: dict[str, Any]) -> Reply:
        reply = await self.doors.deps.bus.ask(self._request(cls, payload))
        raise_problem(reply)
        return reply

    def _request(self, cls: type[M], payload: dict[str, Any]) -> M:
        unknown = payload.keys() - cls.model_fields.keys()
        if unknown:  # the message would ignore them: a defect of the route, not of the input
            raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
        envelope: dict[str, Any] = dict(self.context.envelope(self.doors.deps.clock.now()))
        if issubclass(cls, Mutation):
            envelope |= {
                "idempotency_key": idempotency_key(self.http),
                "route": f"{self.http.method} {route_template(self.http.scope)}",
                "role": str(self.principal.role),
                "expected_version": expected_version(self.http),
            }
        try:
            return cls(**envelope, **payload)
        except ValidationError as error:
            raise invalid(error) from None

    async def _keep(self, operation: Operation) -> None:
        """Store it before the answer. Without our database it is still accepted: its events will bring it here."""
        try:
            await self.doors.accepted.keep(self.context, operation)
        except Exception as error:  # noqa: BLE001 - an error now would make the client start the work twice
            log.warning(
                "operation accepted but not stored yet", operation=str(operation.id), error=type(error).__name__
            )


def needs(permission: Permission | None, kind: RouteKind | None = None) -> Callable[[HttpRequest], Awaitable[Caller]]:
    """The dependency of a route: authenticates, counts against the rate limit, authorises.

    `permission` None: any authenticated principal. `kind` None: a read or a write, by the method; a route that asks a
    cloud while the caller waits says LONG_WORK. Raises Unauthenticated, TooManyRequests, PermissionDenied.
    """

    async def caller(request: HttpRequest) -> Caller:
        doors: Doors = request.app.state.doors
        principal = await doors.authentication.principal_of(request)
        by_method = RouteKind.READ if request.method in _READS else RouteKind.WRITE
        doors.rate_limits.count(principal.actor, kind or by_method)
        found = Caller(principal, request, doors)
        if permission is not None:
            found.require(permission)
        return found

    caller.permission = permission  # type: ignore[attr-defined]  # read by permission_of
    return caller


def permission_of(route: APIRoute) -> Permission | None:
    """What a route asks for; None: it is for every principal or for everybody."""
    asked = (getattr(dependency.call, "permission", None) for dependency in route.dependant.dependencies)
    return next((each for each in asked if each is not None), None)


def idempotency_key(request: HttpRequest) -> str:
    """The client's Idempotency-Key, or a fresh one. Raises InvalidInput."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return str(new_id())
    if not _IDEMPOTENCY_KEY.fullmatch(given):
        detail = "1 to 255 visible ASCII characters"
        raise InvalidInput("the Idempotency-Key is not valid", errors=[FieldError("header/Idempotency-Key", detail)])
    return given


def expected_version(request: HttpRequest) -> int | None:
    """The version in If-Match; None without one or with `*`. Raises Stale for a tag that was never ours."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    tag = _ENTITY_TAG.fullmatch(given.strip())
    if tag is None:
        raise Stale("If-Match holds no entity tag of this thing")
    return int(tag[1])


def _entity_tag(reply: Reply) -> dict[str, str]:
    version = reply.headers.get(VERSION)
    return {} if version is None else {"ETag": f'"{version}"'}
