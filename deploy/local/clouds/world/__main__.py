"""Start the simulated clouds: `python -m deploy.local.clouds.world --data-dir DIR`."""

import gc

gc.disable()  # nothing that is imported goes again

import logging

from deploy.local.clouds.world.server import serve
from deploy.local.clouds.world.settings import read_settings
from shared.runtime.memory import set_apart_what_stays

if __name__ == "__main__":
    set_apart_what_stays()
    settings = read_settings()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    serve(settings)
