"""What is asked about organizations, and how does the first one come to be?"""

from dataclasses import replace

from services.gateway.deps import Deps
from services.gateway.domain.passwords import ensure_strong_password
from services.gateway.handlers.api_keys import make_api_key
from services.gateway.storage import organizations, users
from services.gateway.storage.principals import matrix_of
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput
from shared.kit.ids import SYSTEM_ACTOR, new_id
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.organizations import (
    BootstrapDeployment,
    BootstrappedDeployment,
    CreateOrganization,
    GetOrganization,
    GetRoleRestrictions,
    ListOrganizations,
    Organization,
    OrganizationCreated,
    OrganizationUpdated,
    RestrictRoles,
    RoleRestrictions,
)
from shared.messages.users import User, UserCreated
from shared.security.permissions import Permission
from shared.security.roles import CannotTighten, Role, RoleMatrix

routes = Routes()


@routes.request(BootstrapDeployment)
async def bootstrap_deployment(request: BootstrapDeployment, deps: Deps) -> BootstrappedDeployment:
    """Refused as soon as there is any organization, so that it cannot become a second way in."""
    ensure_strong_password(request.owner_password, request.owner_email)
    password_hash = await deps.passwords.hash(request.owner_password)
    async with deps.database.work(Context.of(request)) as work:
        if not await organizations.is_empty_deployment(work):
            raise Conflict("this deployment has an organization", code="already_bootstrapped")
        organization, owner = await _found(work, request, password_hash)
        work.context = replace(work.context, organization=organization.id, actor=f"user:{owner.id}")
        key = await make_api_key(work, deps, "bootstrap", Role.OWNER)
    return BootstrappedDeployment(organization_id=organization.id, owner_id=owner.id, api_key_id=key.id, key=key.key)


@routes.request(CreateOrganization)
async def create_organization(request: CreateOrganization, deps: Deps) -> Organization:
    """The new tenant's log says that the system founded it, and the asking one's who asked: neither sees the other."""
    await deps.database.check(request)
    ensure_strong_password(request.owner_password, request.owner_email)
    password_hash = await deps.passwords.hash(request.owner_password)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        asking = work.context
        made, _ = await _found(work, request, password_hash)
        work.context = asking
        work.audit("organization.create", made.id, made.version, made.organization_name, {"slug": made.slug})
        acceptance.answer(made)
    return made


@routes.request(ListOrganizations)
async def list_organizations(request: ListOrganizations, deps: Deps) -> Page[Organization]:
    async with deps.database.work(Context.of(request)) as work:
        return await organizations.page(work, request)


@routes.request(GetOrganization)
async def get_organization(request: GetOrganization, deps: Deps) -> Organization:
    """The caller's own; the organization of the request is where it is looked for."""
    async with deps.database.work(Context.of(request)) as work:
        return await organizations.get(work)


@routes.request(GetRoleRestrictions)
async def get_role_restrictions(request: GetRoleRestrictions, deps: Deps) -> RoleRestrictions:
    async with deps.database.work(Context.of(request)) as work:
        organization = await organizations.get(work)
        return _restrictions(await matrix_of(work, work.organization), organization)


@routes.request(RestrictRoles)
async def restrict_roles(request: RestrictRoles, deps: Deps) -> RoleRestrictions:
    matrix = _matrix(request)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        organization = await organizations.lock(work)
        request.check_version("organization", organization.version)
        changed = await organizations.replace_restrictions(work, dict(matrix.removed))
        work.emit(
            OrganizationUpdated(
                **work.about(changed.id, changed.version),
                organization_id=changed.id,
                organization_name=changed.organization_name,
                slug=changed.slug,
            )
        )
        details = {"removed": request.removed}
        work.audit("organization.restrict_roles", changed.id, changed.version, changed.organization_name, details)
        reply = _restrictions(matrix, changed)
        acceptance.answer(reply)
    return reply


async def _found(
    work: Work, request: BootstrapDeployment | CreateOrganization, password_hash: str
) -> tuple[Organization, User]:
    """A new tenant with its first owner; their events and audit entries stand under the new tenant, as the system's."""
    made = await organizations.add(work, new_id(), request.organization_name, request.slug)
    work.context = replace(work.context, organization=made.id, actor=SYSTEM_ACTOR)
    owner = await users.add(work, new_id(), made.id, request.owner_email, request.owner_name, password_hash, Role.OWNER)
    work.emit(
        OrganizationCreated(
            **work.about(made.id, made.version),
            organization_id=made.id,
            organization_name=made.organization_name,
            slug=made.slug,
        ),
        UserCreated(**work.about(owner.id, owner.version), user=owner),
    )
    work.audit("organization.create", made.id, made.version, made.organization_name, {"slug": made.slug})
    work.audit("user.create", owner.id, owner.version, owner.email, {"role": owner.role})
    return made, owner


def _matrix(request: RestrictRoles) -> RoleMatrix:
    """Raises InvalidInput with a pointer to each unknown role or permission, and for the owner's role."""
    errors: list[FieldError] = []
    removed: dict[Role, frozenset[Permission]] = {}
    for name, permissions in request.removed.items():
        if name not in set(Role):
            errors.append(FieldError(f"/removed/{name}", "is no role"))
            continue
        unknown = [each for each in permissions if each not in set(Permission)]
        errors += [FieldError(f"/removed/{name}", f"{each} is no permission") for each in unknown[:10]]
        if not unknown:
            removed[Role(name)] = frozenset(Permission(each) for each in permissions)
    try:
        matrix = RoleMatrix(removed)
    except CannotTighten:
        errors.append(FieldError("/removed/owner", "nothing can be taken from the owner's role"))
    if errors:
        raise InvalidInput("the roles cannot be restricted so", errors=errors)
    return matrix


def _restrictions(matrix: RoleMatrix, organization: Organization) -> RoleRestrictions:
    removed = {role.value: sorted(each.value for each in taken) for role, taken in matrix.removed.items() if taken}
    return RoleRestrictions(removed=removed, version=organization.version)
