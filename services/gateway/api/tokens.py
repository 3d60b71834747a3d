"""How does a user come in, stay in and leave? Access and refresh tokens for a password; tickets for live sockets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.api.addresses import address_of
from services.gateway.api.caller import Caller, needs
from services.gateway.api.problems import correlation_of
from services.gateway.deps import Deps
from services.gateway.domain import refresh_tokens as sign_ins
from services.gateway.domain import tickets
from services.gateway.domain.opaque_tokens import RANDOM_BYTES
from services.gateway.domain.rate_limits import RouteKind
from services.gateway.domain.tokens import ACCESS_LIFETIME, encode_access_token, new_claims
from services.gateway.storage import refresh_tokens, users
from services.gateway.storage import tickets as stored_tickets
from shared.db.work import Work
from shared.kit.errors import Unauthenticated
from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.users import UserSignedOut
from shared.security.roles import Role

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


class SignedInUser(BaseModel):
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
    user: SignedInUser


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


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a refresh gives nothing, said after the commit of what it changed."""

    code: Literal["invalid_token", "refresh_token_reused"]


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
        await users.note_sign_in(work, user["id"], rehashed)
        tokens = await _issue(work, deps, user, family=new_id(), family_started_at=work.now)
        _record(work, user["id"], user["email"], "user.sign_in")
    return _answer(tokens)


@router.post("/refresh", response_model=Tokens)
async def refresh(body: RefreshBody, request: Request) -> Response:
    """Exchange a refresh token. One that comes back ends its whole sign-in: `refresh_token_reused`."""
    doors: Any = request.app.state.doors
    doors.rate_limits.count(address_of(request), RouteKind.WRITE)
    with doors.rate_limits.refusals(address_of(request)):
        async with doors.deps.database.work(_background(request)) as work:
            outcome = await _exchange(work, doors.deps, body.refresh_token)
        if isinstance(outcome, _Refused):
            raise Unauthenticated("the refresh token is not valid; sign in again", code=outcome.code)
    return _answer(outcome)


@router.post("/logout", status_code=204)
async def sign_out(body: RefreshBody, request: Request) -> Response:
    """End the sign-in that this refresh token descends from, with its access tokens. 204 also when it had ended."""
    doors: Any = request.app.state.doors
    deps: Deps = doors.deps
    doors.rate_limits.count(address_of(request), RouteKind.WRITE)
    presented = sign_ins.parse_refresh_token(body.refresh_token)
    async with deps.database.work(_background(request)) as work:
        stored = await refresh_tokens.find_to_use(work, presented.prefix)
        genuine = presented.matches(stored.digest if stored else None, deps.keys.refresh_tokens)
        if stored is not None and genuine and stored.family_revoked_at is None:
            await _end(work, stored, "logout")
    return Response(status_code=204)


@router.post("/ticket", status_code=201, response_model=TicketReply)
async def trade_ticket(caller: Annotated[Caller, Depends(needs(None))]) -> Response:
    """A browser cannot set headers on a WebSocket: it trades its token for a ticket that works once."""
    deps = caller.doors.deps
    ticket = tickets.new_ticket(deps.randomness(RANDOM_BYTES))
    async with deps.database.work(caller.context) as work:
        await stored_tickets.add(work, ticket, caller.principal, deps.keys.tickets)
        reply = TicketReply(ticket=ticket.text, expires_at=work.now + tickets.LIFETIME)
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


async def _exchange(work: Work, deps: Deps, text: str) -> Tokens | _Refused:
    """Under the row's lock; what it decides is committed before the answer."""
    presented = sign_ins.parse_refresh_token(text)
    stored = await refresh_tokens.find_to_use(work, presented.prefix)
    decision = sign_ins.judge(presented, stored, deps.keys.refresh_tokens, work.now)
    if stored is None or decision is sign_ins.RefreshDecision.REFUSE:
        return _Refused("invalid_token")
    if decision is sign_ins.RefreshDecision.REVOKE_FAMILY:
        await _end(work, stored, "refresh_token_reused")
        return _Refused("refresh_token_reused")
    user = await users.find_active(work, stored.user)
    if user is None:
        return _Refused("invalid_token")
    await refresh_tokens.mark_used(work, stored.id)
    return await _issue(work, deps, user, family=stored.family, family_started_at=stored.family_started_at)


async def _issue(work: Work, deps: Deps, user: dict[str, Any], *, family: UUID, family_started_at: datetime) -> Tokens:
    """A refresh token and the access token that carries its id."""
    text = sign_ins.new_refresh_token(deps.randomness(RANDOM_BYTES))
    token = sign_ins.RefreshToken(
        id=new_id(),
        family=family,
        family_started_at=family_started_at,
        user=user["id"],
        digest=text.digest(deps.keys.refresh_tokens),
        expires_at=sign_ins.refresh_expires_at(family_started_at, work.now),
    )
    await refresh_tokens.add(work, token, text.prefix, user["organization_id"])
    claims = new_claims(
        token=token.id,
        user=user["id"],
        organization=user["organization_id"],
        role=Role(user["role"]),
        display_name=user["display_name"],
        now=work.now,
    )
    return Tokens(
        access_token=encode_access_token(claims, deps.issuer),
        expires_in=int(ACCESS_LIFETIME / timedelta(seconds=1)),
        refresh_token=text.text,
        refresh_expires_at=token.expires_at,
        user=SignedInUser(**{name: user[name] for name in SignedInUser.model_fields}),
    )


async def _end(work: Work, stored: sign_ins.RefreshToken, reason: Literal["logout", "refresh_token_reused"]) -> None:
    await refresh_tokens.revoke_family(work, stored.family)
    user = await users.find_active(work, stored.user)
    if user is None:
        return  # deactivated: that was audited, and all of its sign-ins have ended
    context = work.context
    work.context = Context(user["organization_id"], f"user:{stored.user}", context.correlation_id)
    work.emit(UserSignedOut(**work.about(stored.user, user["version"]), user_id=stored.user, reason=reason))
    _record(work, stored.user, user["email"], f"user.{reason}")


def _record(work: Work, user: UUID, email: str, action: str) -> None:
    work.audit(action, user, 0, email)


def _background(request: Request) -> Context:
    """Whose token it is shows only when its row was found."""
    background = Context.background()
    return Context(None, background.actor, correlation_of(request))


def _answer(tokens: Tokens) -> Response:
    return Response(tokens.model_dump_json(), media_type="application/json")
