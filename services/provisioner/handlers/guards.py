"""May this resource be stopped or removed now? Not by mistake: what is critical, or stood on by others, needs force."""

from services.provisioner.domain.dependencies import key_of
from services.provisioner.domain.resources import check_dependents, check_force
from services.provisioner.storage import dependencies
from shared.db.work import Work
from shared.messages.resources import Resource


async def check_guards(work: Work, resource: Resource, *, force: bool, role: str) -> None:
    """Raises Conflict `critical_resource` or `has_dependents` without force, PermissionDenied for who may not force.

    Dependents are as the last reads of the account saw them; what is nowhere yet has none.
    """
    check_force(critical=resource.is_wedding_critical, force=force, role=role)
    if resource.resource_id is None:
        return
    key = key_of(resource.model_dump())
    names = await dependencies.hard_dependents(work, resource.provider_id, key)
    check_dependents(names, force=force, role=role)
