"""How does a user come in, stay in and leave? Access and refresh tokens for a password; tickets for live sockets."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.api.addresses import address_of
from services.gateway.api.caller import Caller, needs
from services.gateway.api.problems import correlation_of
from services.gateway.deps import Deps
from services.gateway.domain.opaque_tokens import RANDOM_BYTES
from services.gateway.domain.rate_limits import RouteKind
from services.gateway.domain.refresh_tokens import parse_refresh_token
from services.gateway.domain.tickets import LIFETIME, new_ticket
from services.gateway.domain.tokens import ACCESS_LIFETIME
from services.gateway.storage import sign_ins, tickets, users
from services.gateway.storage.sign_ins import Issued
from shared.kit.errors import Unauthenticated
from shared.messages.context import Context

router = APIRouter(prefix="/api/auth", tags=["authentication"])

_TOKEN_TYPE = "Bearer"  # noqa: S105 - a word of RFC 6750


class SignInBody(BaseModel):
    """E-mail address and password of a built-in user."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "olga@example.com", "password": "correct horse battery staple"}]},
    )

    email: str = Field(min_length=3, max_length=254)
    password: str = Field(min_length=1, max_length=1024, repr=False)


class RefreshBody(BaseModel):
    """A refresh token. It works once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"refresh_token": "cnr_…"}]})

    refresh_token: str = Field(min_length=1, max_length=200, repr=False)


class TokenUser(BaseModel):
    id: UUID
    organization_id: UUID
    email: str
    display_name: str
    role: str


class Tokens(BaseModel):
    """`expires_in` seconds of access; a refresh token for the next ones."""

    access_token: str
    token_type: str = _TOKEN_TYPE
    expires_in: int
    refresh_token: str
    refresh_expires_at: datetime
    user: TokenUser


class TicketReply(BaseModel):
    """Opens one live socket within 60 s: `?ticket=`."""

    ticket: str
    expires_at: datetime


class Whoami(BaseModel):
    """The principal behind the request, and all that it may do."""

    id: UUID
    organization_id: UUID
    kind: str
    role: str | None
    display_name: str
    permissions: list[str]
    expires_at: datetime | None


@router.post("/token", response_model=Tokens)
async def sign_in(body: SignInBody, request: Request) -> Response:
    """A wrong password and an unknown address are told apart by nobody, neither by the answer nor by its time."""
    doors: Any = request.app.state.doors
    deps: Deps = doors.deps
    doors.rate_limits.count(address_of(request), RouteKind.SIGN_IN)
    doors.rate_limits.count(f"email:{users.normalised_email(body.email)}", RouteKind.SIGN_IN)
    async with deps.database.work(Context.background()) as work:
        user = await users.find_by_email(work, body.email)
    found = await deps.passwords.verify(body.password, user["password_hash"] if user else None)
    if user is None or not found.right or not user["is_active"]:
        raise Unauthenticated("e-mail address or password is wrong", code="invalid_credentials")
    rehashed = await deps.passwords.hash(body.password) if found.needs_rehash else None
    context = Context(user["organization_id"], f"user:{user['id']}", correlation_of(request))
    async with deps.database.work(context) as work:
        issued = await sign_ins.begin(work, deps.mint, user, rehashed)
    return _answer(issued)


@router.post("/refresh", response_model=Tokens)
async def refresh(body: RefreshBody, request: Request) -> Response:
    """Exchange a refresh token. One that comes back ends its whole sign-in: `refresh_token_reused`."""
    doors: Any = request.app.state.doors
    doors.rate_limits.count(address_of(request), RouteKind.WRITE)
    with doors.rate_limits.refusals(address_of(request)):
        presented = parse_refresh_token(body.refresh_token)
        async with doors.deps.database.work(_background(request)) as work:
            outcome = await sign_ins.go_on(work, doors.deps.mint, presented)
        if not isinstance(outcome, Issued):
            raise Unauthenticated("the refresh token is not valid; sign in again", code=outcome)
    return _answer(outcome)


@router.post("/logout", status_code=204)
async def sign_out(body: RefreshBody, request: Request) -> Response:
    """End the sign-in that this refresh token descends from, with its access tokens. 204 also when it had ended."""
    doors: Any = request.app.state.doors
    deps: Deps = doors.deps
    doors.rate_limits.count(address_of(request), RouteKind.WRITE)
    presented = parse_refresh_token(body.refresh_token)
    async with deps.database.work(_background(request)) as work:
        await sign_ins.end(work, deps.mint, presented)
    return Response(status_code=204)


@router.post("/ticket", status_code=201, response_model=TicketReply)
async def trade_ticket(caller: Annotated[Caller, Depends(needs(None))]) -> Response:
    """A browser cannot set headers on a WebSocket: it trades its token for a ticket that works once."""
    deps = caller.doors.deps
    ticket = new_ticket(deps.randomness(RANDOM_BYTES))
    async with deps.database.work(caller.context) as work:
        await tickets.add(work, ticket, caller.principal, deps.keys.tickets)
        reply = TicketReply(ticket=ticket.text, expires_at=work.now + LIFETIME)
    return Response(reply.model_dump_json(), 201, media_type="application/json")


@router.get("/me", response_model=Whoami)
async def whoami(caller: Annotated[Caller, Depends(needs(None))]) -> Response:
    """Who am I, and what may I do?"""
    principal = caller.principal
    reply = Whoami(
        id=principal.id,
        organization_id=principal.organization,
        kind=principal.kind,
        role=principal.role,
        display_name=principal.display_name,
        permissions=sorted(principal.permissions),
        expires_at=principal.token_expires_at,
    )
    return Response(reply.model_dump_json(), media_type="application/json")


def _background(request: Request) -> Context:
    """Whose token it is shows only when its row was found."""
    background = Context.background()
    return Context(None, background.actor, correlation_of(request))


def _answer(issued: Issued) -> Response:
    tokens = Tokens(
        access_token=issued.access_token,
        expires_in=int(ACCESS_LIFETIME / timedelta(seconds=1)),
        refresh_token=issued.refresh_token,
        refresh_expires_at=issued.refresh_expires_at,
        user=TokenUser(**{name: issued.user[name] for name in TokenUser.model_fields}),
    )
    return Response(tokens.model_dump_json(), media_type="application/json")
