"""`python -m services.recovery`"""

from services.recovery.main import build
from services.recovery.settings import Settings
from shared.runtime.process import run

run("recovery", Settings(), build)
