"""`python -m services.gateway`: runs one replica of the gateway."""

import gc

gc.disable()  # nothing that is imported goes again; `run` sets it apart and lets the collector begin

from services.gateway.main import build
from services.gateway.settings import Settings
from shared.runtime.process import run

if __name__ == "__main__":
    run("gateway", Settings(), build)
