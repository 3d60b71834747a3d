"""Runs monitor: `python -m services.monitor`."""

from services.monitor.main import build
from services.monitor.settings import Settings
from shared.runtime.process import run

run("monitor", Settings(), build)
