"""A fast read is one transaction of one organization that may change nothing, and leaves nothing behind."""

import psycopg
import pytest
from psycopg.errors import ReadOnlySqlTransaction, UndefinedTable

from shared.db.reads import Reader
from shared.kit.ids import new_id
from tests.fixtures.servers import DatabaseFactory

pytestmark = pytest.mark.anyio

STATE = "SELECT current_setting('canopy.organization', true), current_setting('transaction_read_only')"


async def test_a_read_is_its_organizations_and_the_next_one_its_own(migrated_database: DatabaseFactory) -> None:
    reader = Reader(migrated_database("provisioner").app_url, pool_size=1)
    await reader.open()
    try:
        for organization in (new_id(), new_id()):
            assert await reader.one(organization, STATE, {}) == (str(organization), "on")
            assert await reader.planned(organization, STATE, {}) == (str(organization), "on")
            with pytest.raises(ReadOnlySqlTransaction):
                await reader.one(organization, "DELETE FROM cloud_resources RETURNING id", {})
            with pytest.raises(UndefinedTable):
                await reader.planned(organization, "SELECT id FROM nowhere", {})
            async with reader._pool.connection() as connection:
                assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
                left = await (await connection.execute(STATE)).fetchone()
            assert left in {("", "off"), (None, "off")}
    finally:
        await reader.close()
