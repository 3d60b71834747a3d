"""How do channels' secrets come under another key? In batches, each in its own commit."""

from services.monitor.storage import channels
from shared.db.engine import Database
from shared.messages.context import Context
from shared.security.envelope import KeyRing


async def rotate_batch(database: Database, key_ring: KeyRing, limit: int) -> int:
    """Seal up to `limit` channels' configs under the primary key; returns how many. Several may run at once.

    Raises CannotDecrypt when a key has left the ring before everything was sealed anew: put it back, then repeat.
    """
    background = Context.background()
    async with database.work(background) as work:
        rows = await channels.sealed_otherwise(work, key_ring.primary, limit)
        for row in rows:
            place = {"organization": row["organization_id"], "record": row["id"], "field": channels.FIELD}
            plain = key_ring.open_sealed(row["sealed_config"], **place)
            await channels.reseal(work, row["id"], key_ring.seal(plain, **place), key_ring.primary)
            work.context = background.within(row["organization_id"])
            work.audit("channel.rotate_secrets", row["id"], row["version"], row["name"], {"key_id": key_ring.primary})
        work.context = background
    return len(rows)
