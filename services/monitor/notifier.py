"""The notifier's composition root: monitor's second process, over the same rooms and database.

It has its own NATS user and durables, and hears of alerts as any stranger's subscriber does.
"""

from services.monitor.deps import NotifierDeps
from services.monitor.handlers import notifications
from services.monitor.jobs import notifier_jobs
from services.monitor.settings import Settings
from shared.bus.router import Router
from shared.outward.mails import MailServer
from shared.outward.posts import Poster
from shared.outward.turns import Turns
from shared.runtime.process import Application, Foundation, run
from shared.security.envelope import KeyRing

router = Router("notifier", notifications.routes)


async def build(foundation: Foundation[Settings]) -> Application:
    """Everything the notifier's doors need."""
    settings = foundation.settings
    poster = Poster(settings.post_timeout_s, foundation.clock)
    password = settings.smtp_password
    deps = NotifierDeps(
        database=foundation.database,
        bus=foundation.bus,
        clock=foundation.clock,
        settings=settings,
        key_ring=KeyRing.parse(settings.key_ring.get_secret_value()),
        poster=poster,
        mail_server=MailServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            user=settings.smtp_user,
            password=password.get_secret_value() if password else None,
            start_tls=settings.smtp_start_tls,
            sender=settings.smtp_from,
            timeout_s=settings.post_timeout_s,
        ),
        turns=Turns(settings.posts_at_once),
    )
    return Application(router=router, deps=deps, jobs=notifier_jobs(settings), close=poster.close)


if __name__ == "__main__":
    run("notifier", Settings(), build, database_service="monitor")
