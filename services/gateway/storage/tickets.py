"""Which tickets for live sockets are out? Each is used once."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from services.gateway.domain import tickets as domain
from services.gateway.domain.opaque_tokens import OpaqueToken
from services.gateway.domain.signatures import SigningKeys
from services.gateway.domain.tickets import Ticket
from services.gateway.storage.tables import tickets
from shared.db.work import Work
from shared.security.principals import Principal, PrincipalKind


async def add(work: Work, ticket: OpaqueToken, principal: Principal, keys: SigningKeys) -> None:
    await work.execute(
        insert(tickets).values(
            prefix=ticket.prefix,
            organization_id=principal.organization,
            digest=ticket.digest(keys),
            principal_kind=principal.kind.value,
            principal_id=principal.id,
            token_id=principal.token,
            token_expires_at=principal.token_expires_at,
            issued_at=work.now,
        )
    )


async def redeem(work: Work, presented: OpaqueToken, keys: SigningKeys) -> Ticket:
    """Take a ticket under its row's lock and mark it used. Raises Unauthenticated (`invalid_ticket`)."""
    statement = select(tickets).where(tickets.c.prefix == presented.prefix).with_for_update()
    row = (await work.execute(statement)).mappings().first()
    stored = None
    if row is not None:
        stored = Ticket(
            prefix=row["prefix"],
            digest=row["digest"],
            kind=PrincipalKind(row["principal_kind"]),
            principal=row["principal_id"],
            token=row["token_id"],
            token_expires_at=row["token_expires_at"],
            issued_at=row["issued_at"],
            used_at=row["used_at"],
        )
    ticket = domain.redeem(presented, stored, keys, work.now)
    await work.execute(update(tickets).where(tickets.c.prefix == presented.prefix).values(used_at=work.now))
    return ticket


async def forget(work: Work, before: datetime) -> int:
    """Delete those issued before a time; returns how many."""
    return (await work.execute(delete(tickets).where(tickets.c.issued_at < before))).rowcount
