"""What lists by tag need, second step: old tags know it too, and all lie in that order.

Nobody waits for it: a few thousand tags are one transaction, and the index is built beside what is read and written. A
run that was broken off may be started again.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("cloud_resources", "resource_tags")
BLOCKS_AT_ONCE = 64
"""About 5,000 tags. Those that are written meanwhile, wherever they come to lie, have their time by the trigger."""

_FILL = f"""
DO $$
BEGIN
  FOR block IN 0 .. pg_relation_size('resource_tags') / current_setting('block_size')::int BY {BLOCKS_AT_ONCE} LOOP
    UPDATE resource_tags
       SET created_at = (SELECT created_at FROM cloud_resources WHERE cloud_resources.id = resource_tags.resource_id)
     WHERE ctid >= ('(' || block || ',0)')::tid AND ctid < ('(' || block + {BLOCKS_AT_ONCE} || ',0)')::tid
       AND created_at IS NULL;
    COMMIT;
  END LOOP;
END
$$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # Row level security is forced on the owner too, for whom there is no policy: it would see no row to change.
        # Services are never the owner; what they may see stays as it is.
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(_FILL)
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE resource_tags ALTER COLUMN created_at SET NOT NULL")
        _build("ix_resource_tags_value", "organization_id, key, value, created_at, resource_id")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_resource_tags_key")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _build("ix_resource_tags_key", "organization_id, key, value, resource_id")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_resource_tags_value")
        op.execute("ALTER TABLE resource_tags ALTER COLUMN created_at DROP NOT NULL")


def _build(index: str, columns: str) -> None:
    """What an earlier run left of it is not valid. It waits for transactions, and nobody for it: without a limit."""
    op.execute("SET lock_timeout = 0")
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
    op.execute(f"CREATE INDEX CONCURRENTLY {index} ON resource_tags ({columns})")
    op.execute("SET lock_timeout = '5s'")
