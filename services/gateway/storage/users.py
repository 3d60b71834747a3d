"""Which users does an organization have?"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert

from services.gateway.storage.tables import users
from shared.db.pages import Keyset, begins_with
from shared.db.work import Work, rows
from shared.kit.errors import Conflict, NotFound
from shared.messages.base import Page
from shared.messages.users import ListUsers, User
from shared.security.roles import Role

ORDER = Keyset(
    users.c.id,
    {"created_at": users.c.created_at, "email": users.c.email, "display_name": users.c.display_name},
    default="created_at",
)


def normalised_email(email: str) -> str:
    """One spelling per address."""
    return email.strip().casefold()


async def add(
    work: Work, user: UUID, organization: UUID, email: str, display_name: str, password_hash: str, role: Role
) -> User:
    """Raises Conflict when the address has a user in this deployment."""
    statement = (
        insert(users)
        .values(
            id=user,
            organization_id=organization,
            email=normalised_email(email),
            display_name=display_name,
            password_hash=password_hash,
            role=role.value,
            is_active=True,
            created_at=work.now,
            updated_at=work.now,
            version=1,
        )
        .on_conflict_do_nothing(index_elements=[users.c.email])
        .returning(users)
    )
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise Conflict("this address has a user already", code="email_taken")
    return user_of(row)


async def get(work: Work, user: UUID) -> User:
    """Raises NotFound, also for another organization's."""
    return await _one(work, select(users), user)


async def lock(work: Work, user: UUID) -> User:
    """The user, the row locked until the commit. Raises NotFound, also for another organization's."""
    return await _one(work, select(users).with_for_update(), user)


async def page(work: Work, request: ListUsers) -> Page[User]:
    statement = select(users).where(users.c.organization_id == work.organization)
    if request.role is not None:
        statement = statement.where(users.c.role == request.role)
    if request.is_active is not None:
        statement = statement.where(users.c.is_active.is_(request.is_active))
    if request.q:
        statement = statement.where(begins_with(users.c.display_name, request.q))
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return Page[User](items=[user_of(row) for row in found], next_cursor=cursor)


async def lock_active_owners(work: Work) -> set[UUID]:
    """The ids of all active owners, locked in one order: two owners who step down at once cannot both see the other."""
    statement = (
        select(users.c.id)
        .where(users.c.organization_id == work.organization, users.c.role == Role.OWNER.value, users.c.is_active)
        .order_by(users.c.id)
        .with_for_update()
    )
    return {row.id for row in await work.execute(statement)}


async def change(work: Work, user: UUID, **values: Any) -> User:
    """Write columns of a user that is locked; its version grows by one."""
    statement = (
        update(users)
        .where(users.c.id == user, users.c.organization_id == work.organization)
        .values(**values, version=users.c.version + 1, updated_at=work.now)
        .returning(users)
    )
    return user_of((await work.execute(statement)).mappings().one())


async def find_by_email(work: Work, email: str) -> dict[str, Any] | None:
    """The row with its password hash, for a sign-in; in background work, since no organization is known yet."""
    statement = select(users).where(users.c.email == normalised_email(email))
    row = (await work.execute(statement)).mappings().first()
    return None if row is None else dict(row)


async def find_active(work: Work, user: UUID) -> dict[str, Any] | None:
    """The row of an active user, for a refresh; in background work."""
    row = (await work.execute(select(users).where(users.c.id == user, users.c.is_active))).mappings().first()
    return None if row is None else dict(row)


async def note_sign_in(work: Work, user: UUID, password_hash: str | None) -> None:
    """Remember the time, and the password's new hash when today's parameters differ. No new version: nobody waits."""
    values: dict[str, Any] = {"last_sign_in_at": work.now}
    if password_hash is not None:
        values["password_hash"] = password_hash
    await work.execute(
        update(users).where(users.c.id == user, users.c.organization_id == work.organization).values(**values)
    )


def user_of(row: Any) -> User:
    return User.model_validate(dict(row))


async def _one(work: Work, statement: Select[Any], user: UUID) -> User:
    mine = statement.where(users.c.id == user, users.c.organization_id == work.organization)
    row = (await work.execute(mine)).mappings().first()
    if row is None:
        raise NotFound("there is no such user")
    return user_of(row)
