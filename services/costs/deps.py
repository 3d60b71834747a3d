"""What may the handlers and jobs of costs touch?"""

from dataclasses import dataclass

from services.costs.settings import Settings
from shared.db.engine import Database


@dataclass(frozen=True)
class Deps:
    """Handed to every handler and job."""

    settings: Settings
    database: Database
