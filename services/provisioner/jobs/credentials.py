"""Are all credentials sealed under the primary key? A sweep after the deployment's key ring has changed."""

from services.provisioner.deps import Deps
from services.provisioner.storage import credentials

BATCH = 100


async def rotate_credentials(deps: Deps) -> int:
    """Seal again what is not; returns how many."""
    total = 0
    while rotated := await credentials.rotate(deps.database, deps.key_ring, BATCH):
        total += rotated
    return total
