"""`python -m services.provisioner`: one replica of the provisioner."""

from services.provisioner.main import build
from services.provisioner.settings import Settings
from shared.runtime.process import run

run("provisioner", Settings(), build)
