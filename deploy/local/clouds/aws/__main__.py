"""Start the simulated AWS: `python -m deploy.local.clouds.aws --port N --data-dir DIR`."""

import gc

gc.disable()  # nothing that is imported goes again

import logging

from deploy.local.clouds.aws.sdk_models import read_once

read_once()

from deploy.local.clouds.aws.server import serve
from deploy.local.clouds.aws.settings import read_settings
from shared.runtime.memory import set_apart_what_stays

if __name__ == "__main__":
    set_apart_what_stays()
    settings = read_settings()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    serve(settings)
