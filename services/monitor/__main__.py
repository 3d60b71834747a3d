"""Runs monitor: `python -m services.monitor`."""

import gc

gc.disable()  # nothing that is imported goes again; `run` sets it apart and lets the collector begin

from services.monitor.main import build
from services.monitor.settings import Settings
from shared.runtime.process import run

run("monitor", Settings(), build)
