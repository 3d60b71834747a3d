"""How do credentials come under another key? In batches: row and bucket get the same new ciphertext in one commit."""

from uuid import UUID

from services.provisioner.storage import providers
from shared.bus.credentials import PURGE, open_credentials, seal_credentials
from shared.db.engine import Database
from shared.db.work import Work
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.context import Context
from shared.messages.subjects import credentials_subject
from shared.security.envelope import KeyRing


async def rotate_batch(database: Database, key_ring: KeyRing, limit: int) -> int:
    """Seal up to `limit` providers' credentials under the primary key; returns how many. Several may run at once.

    Raises CannotDecrypt when a key has left the ring before everything was sealed anew: put it back, then repeat.
    """
    async with database.work(Context.background()) as work:
        rows = await providers.sealed_otherwise(work, key_ring.primary, limit)
        for row in rows:
            provider_id, organization = row["id"], row["organization_id"]
            plain = open_credentials(key_ring, organization, provider_id, bytes(row["credentials_config"]))
            sealed = seal_credentials(key_ring, organization, provider_id, plain)
            await providers.reseal(work, provider_id, organization, sealed, key_ring.primary)
            publish(work, organization, provider_id, sealed)
            envelope = work.context.within(organization).about(provider_id, 0, work.now)
            work.emit(AuditRecorded(**envelope, action="provider.rotate_credentials", target_type="provider",
                                    details={"key_id": key_ring.primary}))  # fmt: skip
    return len(rows)


def publish(work: Work, organization: UUID, provider_id: UUID, sealed: bytes) -> None:
    """Let the ciphertext reach the services that may open it, with this commit."""
    work.put(new_id(), organization, credentials_subject(organization, provider_id), sealed, {})


def withdraw(work: Work, organization: UUID, provider_id: UUID) -> None:
    """Remove the key from the bucket with this commit."""
    work.put(new_id(), organization, credentials_subject(organization, provider_id), b"", dict(PURGE))
