"""How does a sign-in begin, go on and end? Each is one transaction's worth, told to the audit log and the bus."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.gateway.domain import refresh_tokens as domain
from services.gateway.domain.opaque_tokens import RANDOM_BYTES, OpaqueToken
from services.gateway.domain.refresh_tokens import RefreshDecision, RefreshToken
from services.gateway.domain.signatures import SigningKeys
from services.gateway.domain.tokens import Issuer, encode_access_token, new_claims
from services.gateway.storage import refresh_tokens, users
from shared.db.work import Work
from shared.kit.ids import new_id
from shared.messages.users import UserSignedOut
from shared.security.roles import Role


@dataclass(frozen=True, slots=True)
class Mint:
    """What tokens are made with."""

    issuer: Issuer
    keys: SigningKeys
    """Of refresh tokens."""
    randomness: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token and the refresh token for the next one; `user` is the user's row."""

    access_token: str
    refresh_token: str
    refresh_expires_at: datetime
    user: dict[str, Any]


RefusalCode = Literal["invalid_token", "refresh_token_reused"]


async def begin(work: Work, mint: Mint, user: dict[str, Any], password_hash: str | None) -> Issued:
    """Sign in a user whose password was right; `password_hash` is a new one to keep. In the work of the user."""
    await users.note_sign_in(work, user["id"], password_hash)
    work.audit("user.sign_in", user["id"], user["version"], user["email"])
    return await _issue(work, mint, user, family=new_id(), family_started_at=work.now)


async def go_on(work: Work, mint: Mint, presented: OpaqueToken) -> Issued | RefusalCode:
    """Exchange a refresh token, under its row's lock; in background work, since whose it is shows only here.

    A refusal is returned and not raised: what it changed must be committed before it is answered.
    """
    stored = await refresh_tokens.find_to_use(work, presented.prefix)
    decision = domain.judge(presented, stored, mint.keys, work.now)
    if stored is None or decision is RefreshDecision.REFUSE:
        return "invalid_token"
    if decision is RefreshDecision.REVOKE_FAMILY:
        await _end(work, stored, "refresh_token_reused")
        return "refresh_token_reused"
    user = await users.find_active(work, stored.user)
    if user is None:
        return "invalid_token"
    await refresh_tokens.mark_used(work, stored.id)
    return await _issue(work, mint, user, family=stored.family, family_started_at=stored.family_started_at)


async def end(work: Work, mint: Mint, presented: OpaqueToken) -> None:
    """End the sign-in that a genuine refresh token descends from, with its access tokens; for another do nothing."""
    stored = await refresh_tokens.find_to_use(work, presented.prefix)
    genuine = presented.matches(stored.digest if stored else None, mint.keys)
    if stored is not None and genuine and stored.family_revoked_at is None:
        await _end(work, stored, "logout")


async def _issue(work: Work, mint: Mint, user: dict[str, Any], *, family: UUID, family_started_at: datetime) -> Issued:
    """A refresh token and the access token that carries its id."""
    text = domain.new_refresh_token(mint.randomness(RANDOM_BYTES))
    token = RefreshToken(
        id=new_id(),
        family=family,
        family_started_at=family_started_at,
        user=user["id"],
        digest=text.digest(mint.keys),
        expires_at=domain.refresh_expires_at(family_started_at, work.now),
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
    return Issued(encode_access_token(claims, mint.issuer), text.text, token.expires_at, user)


async def _end(work: Work, stored: RefreshToken, reason: Literal["logout", "refresh_token_reused"]) -> None:
    await refresh_tokens.revoke_family(work, stored.family)
    user = await users.find_active(work, stored.user)
    if user is None:
        return  # deactivated: that was audited, and all of its sign-ins have ended
    work.context = replace(work.context, organization=user["organization_id"], actor=f"user:{stored.user}")
    work.emit(UserSignedOut(**work.about(stored.user, user["version"]), user_id=stored.user, reason=reason))
    work.audit(f"user.{reason}", stored.user, user["version"], user["email"])
