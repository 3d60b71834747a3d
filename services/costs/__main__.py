"""`python -m services.costs`"""

from services.costs.main import build
from services.costs.settings import Settings
from shared.runtime.process import run

run("costs", Settings(), build)
