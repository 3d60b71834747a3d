"""`python -m services.gateway`: runs one replica of the gateway."""

from services.gateway.main import build
from services.gateway.settings import Settings
from shared.runtime.process import run

if __name__ == "__main__":
    run("gateway", Settings(), build)
