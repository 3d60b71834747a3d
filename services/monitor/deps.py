"""What may monitor's and the notifier's handlers and jobs touch?"""

from dataclasses import dataclass

from services.monitor.domain.pauses import Pauses
from services.monitor.settings import Settings
from services.monitor.storage.alert_rules import RuleBook
from shared.bus.connection import Bus
from shared.bus.credentials import CredentialStore
from shared.clouds.registry import Clouds
from shared.db.engine import Database
from shared.kit.clock import Clock
from shared.outward.mails import MailServer
from shared.outward.posts import Poster
from shared.outward.turns import Turns
from shared.runtime.worker import Worker
from shared.security.envelope import KeyRing


@dataclass(frozen=True, slots=True)
class Deps:
    """Of monitor."""

    database: Database
    bus: Bus
    clock: Clock
    settings: Settings
    key_ring: KeyRing
    credentials: CredentialStore
    clouds: Clouds
    rules: RuleBook
    worker: Worker
    pauses: Pauses


@dataclass(frozen=True, slots=True)
class NotifierDeps:
    """Of the notifier."""

    database: Database
    bus: Bus
    clock: Clock
    settings: Settings
    key_ring: KeyRing
    poster: Poster
    mail_server: MailServer
    turns: Turns
