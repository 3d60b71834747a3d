"""`python -m services.recovery`"""

import gc

gc.disable()  # nothing that is imported goes again; `run` sets it apart and lets the collector begin

from services.recovery.main import build
from services.recovery.settings import Settings
from shared.runtime.process import run

run("recovery", Settings(), build)
