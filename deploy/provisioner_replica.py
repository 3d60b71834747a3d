"""What does a program of ours have of the provisioner, to run its own reads on a deployment's database?"""

import os
from collections.abc import Mapping

from services.provisioner.deps import Deps
from services.provisioner.domain.places import Places, places_of_a_lane
from services.provisioner.settings import Settings
from shared.bus.connection import create_bus
from shared.clouds.registry import Clouds, provider_names
from shared.clouds.settings import CloudSettings
from shared.db.engine import Database, create_engine
from shared.db.journal import Journal, JournalSettings
from shared.db.reads import Reader
from shared.kit.clock import Clock, SystemClock
from shared.security.envelope import KeyRing


def replica_of(environment: Mapping[str, str], clock: Clock | None = None) -> Deps:
    """What `services.provisioner.main` makes of these CANOPY_* variables, which become this process's own.

    The bus is not opened: what a read finds leaves through the outbox. `deps.database.close()` belongs to the caller.
    """
    os.environ.update({name: value for name, value in environment.items() if name.startswith("CANOPY_")})
    settings, cloud_settings, clock = Settings(), CloudSettings(), clock or SystemClock()
    url = settings.database_url.get_secret_value()
    database = Database(create_engine(url, application_name="canopy replica"), "provisioner", clock)
    return Deps(
        settings=settings,
        cloud_settings=cloud_settings,
        bus=create_bus(settings, "provisioner"),
        database=database,
        journal=Journal(database, JournalSettings(), "replica"),
        reader=Reader(url),
        clouds=Clouds(cloud_settings),
        key_ring=KeyRing.parse(settings.key_ring.get_secret_value()),
        clock=clock,
        places=Places(places_of_a_lane(settings.command_concurrency, len(provider_names()))),
    )
