"""Start the simulated AWS: `python -m deploy.local.clouds.aws --port N --data-dir DIR`."""

import logging

from deploy.local.clouds.aws.server import serve
from deploy.local.clouds.aws.settings import read_settings

if __name__ == "__main__":
    settings = read_settings()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    serve(settings)
