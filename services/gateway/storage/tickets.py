"""Which tickets for live sockets are out? Each is used once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from services.gateway.domain.opaque_tokens import OpaqueToken
from services.gateway.domain.signatures import SigningKeys
from services.gateway.domain.tickets import Ticket, redeem
from services.gateway.storage.tables import tickets
from shared.db.work import Work
from shared.security.principals import Principal


async def add_ticket(work: Work, ticket: OpaqueToken, principal: Principal, keys: SigningKeys) -> None:
    await work.execute(
        insert(tickets).values(
            prefix=ticket.prefix,
            organization_id=principal.organization,
            digest=ticket.digest(keys),
            principal=principal.model_dump(mode="json"),
            issued_at=work.now,
        )
    )


async def redeem_ticket(work: Work, presented: OpaqueToken, keys: SigningKeys) -> Principal:
    """Take a ticket under its row's lock and mark it used. Raises Unauthenticated (`invalid_ticket`)."""
    statement = select(tickets).where(tickets.c.prefix == presented.prefix).with_for_update()
    row = (await work.execute(statement)).mappings().first()
    stored = None
    if row is not None:
        principal = Principal.model_validate(row["principal"])
        stored = Ticket(row["prefix"], row["digest"], principal, row["issued_at"], row["used_at"])
    holder = redeem(presented, stored, keys, work.now)
    await work.execute(update(tickets).where(tickets.c.prefix == presented.prefix).values(used_at=work.now))
    return holder


async def forget_tickets_of(work: Work, principal: UUID) -> None:
    """Delete what somebody traded for: a ticket must not outlive the standing of its holder."""
    mine = tickets.c.principal["id"].astext == str(principal)
    await work.execute(delete(tickets).where(tickets.c.organization_id == work.organization, mine))


async def forget_tickets(work: Work, before: datetime) -> int:
    """Delete those issued before a time; returns how many."""
    return (await work.execute(delete(tickets).where(tickets.c.issued_at < before))).rowcount
