"""What is asked about users, and who may change whom?"""

from services.gateway.deps import Deps
from services.gateway.domain.passwords import ensure_strong_password
from services.gateway.storage import users
from services.gateway.storage.principals import matrix_of
from services.gateway.storage.refresh_tokens import revoke_families_of
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import Conflict, PermissionDenied
from shared.kit.ids import new_id
from shared.messages.base import Mutation, Page
from shared.messages.context import Context
from shared.messages.users import (
    ChangeUserRole,
    CreateUser,
    DeactivateUser,
    GetUser,
    ListUsers,
    User,
    UserCreated,
    UserDeactivated,
    UserRoleChanged,
)
from shared.security.roles import Role

routes = Routes()


@routes.request(ListUsers)
async def list_users(request: ListUsers, deps: Deps) -> Page[User]:
    async with deps.database.work(Context.of(request)) as work:
        return await users.page(work, request)


@routes.request(GetUser)
async def get_user(request: GetUser, deps: Deps) -> User:
    async with deps.database.work(Context.of(request)) as work:
        return await users.get(work, request.user)


@routes.request(CreateUser)
async def create_user(request: CreateUser, deps: Deps) -> User:
    """The password is hashed between two looks at the key: no transaction waits for it."""
    await deps.database.check(request)
    ensure_strong_password(request.password, request.email)
    password_hash = await deps.passwords.hash(request.password)
    role = Role(request.role_of_user)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        await ensure_may_grant(work, request, role)
        made = await users.add(
            work, new_id(), work.organization, request.email, request.display_name, password_hash, role
        )
        work.emit(UserCreated(**work.about(made.id, made.version), user=made))
        work.audit("user.create", made.id, made.version, made.email, {"role": made.role})
        acceptance.answer(made)
    return made


@routes.request(ChangeUserRole)
async def change_user_role(request: ChangeUserRole, deps: Deps) -> User:
    """Who changes a role must be able to grant both: else an admin could take an owner's role away."""
    role = Role(request.role_of_user)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        owners = await users.lock_active_owners(work)
        user = await users.lock(work, request.user)
        request.check_version("user", user.version)
        await ensure_may_grant(work, request, Role(user.role), role)
        if role is not Role.OWNER and owners == {user.id}:
            raise Conflict("an organization keeps one active owner", code="last_owner")
        changed = await users.change(work, user.id, role=role.value)
        work.emit(UserRoleChanged(**work.about(changed.id, changed.version), user=changed))
        details = {"from": user.role, "to": changed.role}
        work.audit("user.change_role", changed.id, changed.version, changed.email, details)
        acceptance.answer(changed)
    return changed


@routes.request(DeactivateUser)
async def deactivate_user(request: DeactivateUser, deps: Deps) -> User:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        owners = await users.lock_active_owners(work)
        user = await users.lock(work, request.user)
        request.check_version("user", user.version)
        await ensure_may_grant(work, request, Role(user.role))
        if owners == {user.id}:
            raise Conflict("an organization keeps one active owner", code="last_owner")
        changed = await users.change(work, user.id, is_active=False)
        await revoke_families_of(work, user.id)
        work.emit(UserDeactivated(**work.about(changed.id, changed.version), user=changed))
        work.audit("user.deactivate", changed.id, changed.version, changed.email)
        acceptance.answer(changed)
    return changed


async def ensure_may_grant(work: Work, request: Mutation, *roles: Role) -> None:
    """Raise PermissionDenied unless the asking role holds, in this organization, all that each of `roles` holds."""
    matrix = await matrix_of(work, work.organization)
    for role in roles:
        if not matrix.may_grant(Role(request.role), role):
            raise PermissionDenied(f"the role {role} holds more than your own")
