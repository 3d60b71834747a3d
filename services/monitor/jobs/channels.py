"""Are all channels' secrets sealed under the primary key? A sweep after the deployment's key ring has changed."""

from services.monitor.deps import Deps
from services.monitor.storage.rotation import rotate_batch

BATCH = 100


async def rotate_secrets(deps: Deps) -> int:
    """Seal again what is not; returns how many."""
    total = 0
    while rotated := await rotate_batch(deps.database, deps.key_ring, BATCH):
        total += rotated
    return total
