"""Are all credentials sealed under the primary key, and does the bucket have what the rows have?"""

import structlog
from nats.js.errors import NotFoundError

from services.provisioner.deps import Deps
from services.provisioner.storage import credentials
from shared.messages.context import Context
from shared.messages.subjects import CREDENTIALS_STREAM, credentials_subject

BATCH = 100

log = structlog.get_logger(__name__)


async def rotate_credentials(deps: Deps) -> int:
    """Seal again what is not under the primary key; returns how many."""
    return await credentials.rotate_all(deps.database, deps.key_ring, BATCH)


async def restore_credentials(deps: Deps) -> int:
    """Publish again what the bucket has not: its storage was lost. Returns how many; none while there is no bucket."""
    async with deps.database.work(Context.background()) as work:
        stored = await credentials.stored(work)
    try:
        bucket = await deps.bus.jetstream.stream_info(CREDENTIALS_STREAM, subjects_filter=">")
    except NotFoundError:
        return 0
    present = (bucket.state.subjects or {}).keys()
    missing = [each for each in stored if credentials_subject(*each) not in present]
    async with deps.database.work(Context.background()) as work:
        restored = [await credentials.publish_again(work, *each) for each in missing]
    if missing:
        log.warning("credentials were missing in the bucket", restored=sum(restored))
    return sum(restored)
