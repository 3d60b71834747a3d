"""Are all credentials sealed under the primary key? What an operator asks for after the key ring has changed."""

import time

from services.provisioner.deps import Deps
from services.provisioner.storage import credentials
from shared.bus.router import Routes
from shared.kit.errors import PermissionDenied
from shared.messages.base import SYSTEM
from shared.messages.context import Context
from shared.messages.providers import RotateCredentials, Rotation

routes = Routes()

BATCH = 50


@routes.request(RotateCredentials)
async def rotate_credentials(request: RotateCredentials, deps: Deps) -> Rotation:
    """Seal again as many as fit into the request's time."""
    if request.organization != SYSTEM:
        raise PermissionDenied("keys belong to the deployment, not to an organization")
    until_s = time.monotonic() + deps.settings.cloud_answer_s
    rotated = await credentials.rotate_all(deps.database, deps.key_ring, BATCH, lambda: time.monotonic() < until_s)
    async with deps.database.work(Context.background()) as work:
        remaining = await credentials.count_sealed_otherwise(work, deps.key_ring.primary)
    return Rotation(rotated=rotated, remaining=remaining)
