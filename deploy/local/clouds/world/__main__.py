"""Start the simulated clouds: `python -m deploy.local.clouds.world --data-dir DIR`."""

import logging

from deploy.local.clouds.world.server import serve
from deploy.local.clouds.world.settings import read_settings

if __name__ == "__main__":
    settings = read_settings()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    serve(settings)
