"""`python -m services.provisioner`: one replica of the provisioner."""

import gc

gc.disable()  # nothing that is imported goes again; `run` sets it apart and lets the collector begin

from services.provisioner.main import build
from services.provisioner.settings import Settings
from shared.runtime.process import run

run("provisioner", Settings(), build)
