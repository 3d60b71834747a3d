"""What is asked about organizations, and how does the first one come to be?"""

from dataclasses import replace
from uuid import UUID

from services.gateway.deps import Deps
from services.gateway.domain.passwords import check_password
from services.gateway.handlers.api_keys import make_api_key
from services.gateway.handlers.users import record as record_user
from services.gateway.storage import organizations, users
from services.gateway.storage.principals import matrix_of
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import Conflict, FieldError, InvalidInput, Stale
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.organizations import (
    BootstrapDeployment,
    BootstrappedDeployment,
    CreateOrganization,
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
    check_password(request.owner_password, request.owner_email)
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
    """The new tenant's owner is somebody else's user: nothing of the asking organization is visible there."""
    await deps.database.check(request)
    check_password(request.owner_password, request.owner_email)
    password_hash = await deps.passwords.hash(request.owner_password)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        asking = work.context
        made, _ = await _found(work, request, password_hash)
        work.context = asking
        _record(work, made, "organization.create", {"slug": made.slug})
        acceptance.answer(made)
    return made


@routes.request(ListOrganizations)
async def list_organizations(request: ListOrganizations, deps: Deps) -> Page[Organization]:
    async with deps.database.work(Context.of(request)) as work:
        return await organizations.list_organizations(work, request)


@routes.request(GetRoleRestrictions)
async def get_role_restrictions(request: GetRoleRestrictions, deps: Deps) -> RoleRestrictions:
    async with deps.database.work(Context.of(request)) as work:
        organization = await organizations.get_organization(work)
        return _restrictions(await matrix_of(work, work.organization), organization)


@routes.request(RestrictRoles)
async def restrict_roles(request: RestrictRoles, deps: Deps) -> RoleRestrictions:
    matrix = _matrix(request)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        organization = await organizations.get_organization(work, lock=True)
        if request.expected_version is not None and request.expected_version != organization.version:
            raise Stale(f"the organization is at version {organization.version}")
        changed = await organizations.replace_restrictions(work, dict(matrix.removed))
        work.emit(
            OrganizationUpdated(
                **work.about(changed.id, changed.version),
                organization_id=changed.id,
                organization_name=changed.organization_name,
                slug=changed.slug,
            )
        )
        _record(work, changed, "organization.restrict_roles", {"removed": request.removed})
        reply = _restrictions(matrix, changed)
        acceptance.answer(reply)
    return reply


async def _found(
    work: Work, request: BootstrapDeployment | CreateOrganization, password_hash: str
) -> tuple[Organization, User]:
    """A new tenant with its first owner; their events and audit entries stand under the new tenant."""
    made = await organizations.add_organization(work, new_id(), request.organization_name, request.slug)
    owner_id = new_id()
    work.context = replace(work.context, organization=made.id, actor=_founder(work, owner_id))
    owner = await users.add_user(
        work, owner_id, made.id, request.owner_email, request.owner_name, password_hash, Role.OWNER
    )
    work.emit(
        OrganizationCreated(
            **work.about(made.id, made.version),
            organization_id=made.id,
            organization_name=made.organization_name,
            slug=made.slug,
        ),
        UserCreated(**work.about(owner.id, owner.version), user=owner),
    )
    _record(work, made, "organization.create", {"slug": made.slug})
    record_user(work, owner, "user.create", {"role": owner.role})
    return made, owner


def _founder(work: Work, owner: UUID) -> str:
    """Bootstrap has no principal yet: its owner founds. Else it is whoever asked."""
    return f"user:{owner}" if work.context.actor.startswith("system:") else work.context.actor


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


def _record(work: Work, organization: Organization, action: str, details: dict[str, object]) -> None:
    work.emit(
        AuditRecorded(
            **work.about(organization.id, organization.version),
            action=action,
            target_type="organization",
            target_name=organization.organization_name,
            details=details,
        )
    )
