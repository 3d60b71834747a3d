"""The one Alembic environment: a short lock timeout, an advisory lock so that two deployers do not collide."""

import time

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

config = context.config
engine = create_engine(config.attributes["url"], poolclass=NullPool)

with engine.connect() as connection:
    # Asked for again and again: an index that is built concurrently waits for every statement, also for one that waits.
    while not connection.execute(text("SELECT pg_try_advisory_lock(hashtext('canopy.migrate'))")).scalar_one():
        connection.commit()
        time.sleep(0.2)
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
