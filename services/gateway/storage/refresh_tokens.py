"""Which sign-ins live, and which refresh token may each still use?"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from services.gateway.domain.refresh_tokens import RefreshToken
from services.gateway.storage.tables import refresh_tokens
from shared.db.work import Work


async def add(work: Work, token: RefreshToken, prefix: str, organization: UUID) -> None:
    """Store a token of a family."""
    await work.execute(
        insert(refresh_tokens).values(
            id=token.id,
            organization_id=organization,
            family=token.family,
            family_started_at=token.family_started_at,
            user_id=token.user,
            prefix=prefix,
            digest=token.digest,
            created_at=work.now,
            expires_at=token.expires_at,
        )
    )


async def find_to_use(work: Work, prefix: str) -> RefreshToken | None:
    """The token with this prefix, its row locked until the commit: of two who present it one sees it used."""
    statement = select(refresh_tokens).where(refresh_tokens.c.prefix == prefix).with_for_update()
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        return None
    return RefreshToken(
        id=row["id"],
        family=row["family"],
        family_started_at=row["family_started_at"],
        user=row["user_id"],
        digest=row["digest"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        family_revoked_at=row["family_revoked_at"],
    )


async def mark_used(work: Work, token: UUID) -> None:
    await work.execute(update(refresh_tokens).where(refresh_tokens.c.id == token).values(used_at=work.now))


async def revoke_family(work: Work, family: UUID) -> None:
    """End one sign-in: its refresh tokens, and its access tokens at their next look-up."""
    living = (refresh_tokens.c.family == family) & refresh_tokens.c.family_revoked_at.is_(None)
    await work.execute(update(refresh_tokens).where(living).values(family_revoked_at=work.now))


async def revoke_families_of(work: Work, user: UUID) -> None:
    """End all of a user's sign-ins."""
    living = (refresh_tokens.c.user_id == user) & refresh_tokens.c.family_revoked_at.is_(None)
    await work.execute(update(refresh_tokens).where(living).values(family_revoked_at=work.now))


async def forget(work: Work, before: datetime) -> int:
    """Delete those that ended before a time; returns how many."""
    return (await work.execute(delete(refresh_tokens).where(refresh_tokens.c.expires_at < before))).rowcount
