"""How is somebody told? The notifier writes a delivery per event and channel, then sends it, at least once.

`sending` is committed before the post. A delivery that is found in `sending` after its lease was left there by a crash:
it is sent once more, marked as a possible repeat. So it is never lost, and repeated at most once per crash.
"""

import asyncio
import json
from typing import Any
from uuid import UUID

import structlog

from services.monitor.deps import NotifierDeps
from services.monitor.domain.channels import are_named, listeners, signing_key
from services.monitor.domain.deliveries import Result, result_of_status, verdict
from services.monitor.domain.notifications import (
    Notice,
    address_of,
    mail_bodies,
    slack_message,
    webhook_document,
    webhook_headers,
)
from services.monitor.storage import channels, deliveries
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import RetryLater
from shared.messages.alerts import AlertEvent, AlertFired, AlertReactivated, AlertResolved
from shared.messages.context import Context
from shared.messages.notifications import DeliverNotification, NotificationFailed, NotificationSent
from shared.outward.addresses import RefusedAddress, UnresolvedAddress, check
from shared.outward.mails import MailRefused, compose, is_address, send
from shared.outward.posts import NoAnswer
from shared.security.envelope import CannotDecrypt

routes = Routes()

REPEAT_HEADER = "canopy-possible-repeat"

log = structlog.get_logger(__name__)


@routes.event(AlertFired)
async def on_alert_fired(event: AlertFired, work: Work, _deps: NotifierDeps) -> None:
    await _notify_channels(event, work, "fired")


@routes.event(AlertResolved)
async def on_alert_resolved(event: AlertResolved, work: Work, _deps: NotifierDeps) -> None:
    await _notify_channels(event, work, "resolved")


@routes.event(AlertReactivated)
async def on_alert_reactivated(event: AlertReactivated, work: Work, _deps: NotifierDeps) -> None:
    """Whoever suppressed it meant until now: the fault is still there."""
    await _notify_channels(event, work, "reactivated")


async def _notify_channels(event: AlertEvent, work: Work, kind: str) -> None:
    """One delivery for each channel that hears of it; the same event again adds none."""
    alert = event.alert
    content = {"event_type": f"alert.{kind}", "alert": alert.model_dump(mode="json")}
    live = await channels.live(work)
    named = alert.notification_channels
    if named and not are_named(live, named):
        log.warning("none of the named channels exists: every channel is told", alert=str(alert.id), named=named)
    for channel in listeners(live, alert.severity_level, named):
        await deliveries.add(work, event.id, channel["id"], kind, content, alert.id)


@routes.command(DeliverNotification)
async def deliver_notification(command: DeliverNotification, deps: NotifierDeps) -> None:
    """One attempt. Raises RetryLater when it is too early, when it is being sent, or after a retryable failure."""
    with deps.turns.take(command.organization):
        await _attempt(command, deps)


async def _attempt(command: DeliverNotification, deps: NotifierDeps) -> None:
    context = Context.of(command)
    async with deps.database.work(context) as work:
        row = await deliveries.lock(work, command.aggregate_id)
        if row["status"] in deliveries.FINISHED:
            return
        until = row["lease_until"] if row["status"] == "sending" else row["next_attempt_at"]
        if until is not None and until > work.now:
            raise RetryLater((until - work.now).total_seconds() + 0.01, f"it is {row['status']}")
        repeat = row["possible_repeat"] or row["status"] == "sending"
        row = await deliveries.begin(work, row, deps.settings.delivery_lease_s, possible_repeat=repeat)
        channel = await channels.find(work, row["channel_id"])
    result = await _send(row, channel, deps)
    async with deps.database.work(context) as work:
        decided = verdict(result, row["attempt"], deps.settings.delivery_attempts, work.now)
        ended = await deliveries.end(work, row, result, decided)
        if ended is not None and decided.next_attempt_at is None:
            event = NotificationSent if result.is_sent else NotificationFailed
            work.emit(event(**work.about(ended["id"], ended["version"]), delivery=deliveries.delivery_of(ended)))
        now = work.now
    if decided.next_attempt_at is not None:
        raise RetryLater((decided.next_attempt_at - now).total_seconds(), result.detail)


async def _send(row: dict[str, Any], channel: dict[str, Any] | None, deps: NotifierDeps) -> Result:
    if channel is None:
        return Result(is_sent=False, is_retryable=False, detail="the channel was deleted")
    try:
        config = _opened(channel, deps)
    except CannotDecrypt:
        return Result(is_sent=False, is_retryable=False, detail="the channel's secrets cannot be opened")
    alert = row["content"]["alert"]
    url = address_of(alert, deps.settings.public_url, deps.settings.console_url)
    notice = Notice(row["kind"], alert, url, row["possible_repeat"])
    limit_s = deps.settings.post_timeout_s
    try:
        async with asyncio.timeout(limit_s):
            return await _send_to(row, channel["channel_type"], config, notice, deps)
    except TimeoutError:
        return Result(is_sent=False, is_retryable=True, detail=f"no answer within {limit_s:g} s")


async def _send_to(
    row: dict[str, Any], channel_type: str, config: dict[str, Any], notice: Notice, deps: NotifierDeps
) -> Result:
    if channel_type == "email":
        return await _mail(row["id"], config, notice, deps)
    if channel_type == "slack":
        return await _post(config["webhook_url"], json.dumps(slack_message(notice)).encode(), {}, deps)
    return await _webhook(row, config, notice, deps)


async def _webhook(row: dict[str, Any], config: dict[str, Any], notice: Notice, deps: NotifierDeps) -> Result:
    now = deps.clock.now()
    document = webhook_document(notice, row["content"]["event_type"], now.isoformat())
    body = json.dumps(document).encode()
    key = signing_key(config["signing_secret"])
    headers = webhook_headers(key, f"msg_{row['id']}", int(now.timestamp()), body)
    if notice.possible_repeat:
        headers[REPEAT_HEADER] = "true"
    return await _post(config["url"], body, headers, deps)


async def _post(url: str, body: bytes, headers: dict[str, str], deps: NotifierDeps) -> Result:
    """The address is checked at every post: what a name points to may have changed since the channel was made."""
    try:
        target = await check(url, allow_inside=deps.settings.allow_private_webhooks)
        answer = await deps.poster.post(target, body, headers)
    except RefusedAddress as error:
        return Result(is_sent=False, is_retryable=False, detail=f"the address {error}")
    except (UnresolvedAddress, NoAnswer) as error:
        return Result(is_sent=False, is_retryable=True, detail=f"no answer: {error}")
    return result_of_status(answer.status, answer.retry_after_s, answer.text)


async def _mail(delivery_id: UUID, config: dict[str, Any], notice: Notice, deps: NotifierDeps) -> Result:
    """To the channel's recipients and to those that the rule names."""
    subject, text, page = mail_bodies(notice)
    named = [each for each in notice.alert.get("recipient_list", []) if is_address(each)]
    mail = compose(
        sender=deps.settings.smtp_from,
        recipients=list(dict.fromkeys([*config["recipients"], *named])),
        subject=subject,
        text=text,
        html=page,
        message_id=f"<{delivery_id}@canopy>",
        headers={"X-Canopy-Possible-Repeat": "true"} if notice.possible_repeat else {},
    )
    try:
        await send(deps.mail_server, mail)
    except MailRefused as error:
        return Result(is_sent=False, is_retryable=error.temporary, status=error.status, detail=str(error))
    return Result(is_sent=True, is_retryable=False)


def _opened(channel: dict[str, Any], deps: NotifierDeps) -> dict[str, Any]:
    plaintext = deps.key_ring.open_sealed(
        channel["sealed_config"],
        organization=channel["organization_id"],
        record=channel["id"],
        field=channels.FIELD,
    )
    opened: dict[str, Any] = json.loads(plaintext)
    return opened
