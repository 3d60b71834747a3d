"""`python -m services.costs`"""

import gc

gc.disable()  # nothing that is imported goes again; `run` sets it apart and lets the collector begin

from services.costs.main import build
from services.costs.settings import Settings
from shared.runtime.process import run

run("costs", Settings(), build)
