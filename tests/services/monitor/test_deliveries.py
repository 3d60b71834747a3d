"""Deliveries: never lost, repeated at most once per crash, retried with patience, final when refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from services.monitor.storage import deliveries as stored
from shared.kit.errors import InvalidInput
from shared.kit.ids import new_id
from shared.messages.alert_rules import Condition, CreateAlertRule
from shared.messages.alerts import AlertFired, AlertReactivated
from shared.messages.base import Page
from shared.messages.channels import CreateChannel, DeleteChannel, GetChannel, TestChannel
from shared.messages.deliveries import Delivery, ListDeliveries
from shared.messages.metrics import Sample
from shared.messages.notifications import DeliverNotification, NotificationFailed, NotificationSent
from tests.fixtures.services import Services, mutation
from tests.services.monitor.conftest import KEY_RING, Fleet, eventually, now
from tests.services.monitor.sinks import Mailbox, Sink, running_mailbox, running_sink

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with running_sink() as found:
        yield found


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with running_mailbox() as found:
        yield found


NOTIFIER: dict[str, Any] = {
    "key_ring": KEY_RING, "allow_private_webhooks": True, "delivery_lease_s": 1, "post_timeout_s": 0.9,
}  # fmt: skip


@pytest.fixture
async def told(fleet: Fleet) -> Fleet:
    """A fleet with a notifier."""
    await fleet.services.start("notifier", **NOTIFIER)
    return fleet


async def create(fleet: Fleet, channel_type: str, config: dict[str, Any], **values: Any) -> Any:
    request = CreateChannel(
        **mutation(fleet.context), channel_type=channel_type, channel_name="c", config=config, **values
    )
    return await fleet.services.ask(request)


async def deliveries(fleet: Fleet, channel: UUID) -> list[Any]:
    page: Page[Delivery] = await fleet.services.ask(ListDeliveries(**fleet.context.envelope(now()), channel=channel))
    return page.items


async def leave_in_sending(fleet: Fleet, delivery_id: UUID) -> None:
    """As a notifier that died between the commit of `sending` and that of `sent`."""
    database = fleet.services.database("monitor")
    async with database.work(fleet.context) as work:
        await stored.begin(work, await stored.lock(work, delivery_id), 1.0, possible_repeat=False)
    await database.close()


async def test_a_fired_alert_reaches_slack_and_a_signed_webhook_once(told: Fleet, sink: Sink) -> None:
    slack = await create(told, "slack", {"webhook_url": sink.url})
    secret = "whsec_" + base64.b64encode(b"s" * 24).decode()
    await create(told, "webhook", {"url": sink.url, "signing_secret": secret})
    await create(told, "slack", {"webhook_url": sink.url}, minimum_severity="emergency")
    web = told.resource(resource_name="<web> & co")
    await told.add(web)
    await told.measure(Sample(web.id, now(), cpu_utilization=97.5))
    await told.services.events_of(NotificationSent, 2)
    assert len(sink.received) == 2
    alert = (await told.services.event(AlertFired)).alert
    bodies = {"blocks" in body.decode(): (headers, body) for headers, body in sink.received}
    text = json.dumps(json.loads(bodies[True][1]))
    for said in ("critical", "&lt;web&gt; &amp; co", "cpu_utilization = 97.5", "> 95".replace(">", "&gt;"), "/alerts/"):
        assert said in text
    headers, body = bodies[False]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"s" * 24, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["possible_repeat"] is False
    (one,) = await deliveries(told, slack.id)
    assert (one.status, one.attempt, [each.outcome for each in one.attempts]) == ("sent", 1, ["sent"])
    await told.services.publish(AlertReactivated(**told.about(alert.id, 2), alert=alert))
    await told.services.events_of(NotificationSent, 4)
    assert "[STILL CRITICAL]" in "".join(body.decode() for _, body in sink.received[2:])


async def test_a_receiver_that_answers_without_end_is_given_up_in_time(told: Fleet, sink: Sink) -> None:
    """httpx waits for each read anew: one byte now and then held a worker for ever, beyond the delivery's lease."""
    channel = await create(told, "slack", {"webhook_url": sink.drip_url})
    await told.services.ask(TestChannel(**mutation(told.context), channel=channel.id))

    async def given_up() -> Any:
        (one,) = await deliveries(told, channel.id)
        return one if one.status == "retrying" else None

    one = await eventually(given_up)
    assert (one.attempts[0].outcome, one.attempts[0].error) == ("retrying", "no answer within 0.9 s")
    assert one.possible_repeat is False


async def test_an_organization_waits_for_its_own_slow_receivers(fleet: Fleet, sink: Sink) -> None:
    """With one post at once: its next one begins when the slow one was given up."""
    slow = await create(fleet, "slack", {"webhook_url": sink.drip_url})
    quick = await create(fleet, "slack", {"webhook_url": sink.url})
    await fleet.services.start("notifier", **NOTIFIER, posts_at_once=1)
    await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=slow.id))

    async def under_way() -> object:
        return sink.received or None

    await eventually(under_way)
    await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=quick.id))
    await fleet.services.event(NotificationSent)
    ((waited,), (dripping,)) = [await deliveries(fleet, each.id) for each in (quick, slow)]
    assert waited.attempts[0].started_at >= dripping.attempts[0].finished_at


async def test_an_alert_whose_named_channel_is_gone_is_told_to_the_others(told: Fleet, sink: Sink) -> None:
    named = await create(told, "slack", {"webhook_url": sink.url})
    other = await create(told, "slack", {"webhook_url": sink.url})
    condition = Condition(metric="error_rate", threshold=0.5)
    await told.services.ask(
        CreateAlertRule(
            **mutation(told.context), alert_name="errors", alert_conditions=condition,
            notification_channels=[str(named.id)],
        )
    )  # fmt: skip
    await told.services.ask(DeleteChannel(**mutation(told.context), channel=named.id))
    web = told.resource()
    await told.add(web)
    await told.measure(Sample(web.id, now(), error_rate=0.9))
    sent = await told.services.event(NotificationSent)
    assert sent.delivery.channel_id == other.id


async def test_a_mail_that_is_refused_for_now_is_tried_again_and_a_possible_repeat_says_so(
    fleet: Fleet, mailbox: Mailbox
) -> None:
    channel = await create(fleet, "email", {"recipients": ["ops@example.com"]})
    queued = await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=channel.id))
    await leave_in_sending(fleet, queued.id)
    mailbox.answers = ["451 4.3.0 try again"]
    await fleet.services.start("notifier", **NOTIFIER, smtp_host="127.0.0.1", smtp_port=mailbox.port)
    await fleet.services.event(NotificationSent)
    (one,) = await deliveries(fleet, channel.id)
    assert [(each.outcome, each.response_status) for each in one.attempts] == [
        (None, None), ("retrying", 451), ("sent", None),
    ]  # fmt: skip
    second = await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=channel.id))
    await fleet.services.event(NotificationSent, lambda event: event.aggregate_id == second.id)
    assert [mail["X-Canopy-Possible-Repeat"] for mail in mailbox.mails] == ["true", "true", None]
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 2


async def test_a_busy_receiver_gets_it_later_and_a_refusal_is_final(told: Fleet, sink: Sink) -> None:
    sink.answers = [(429, {"Retry-After": "1"}), (503, {}), (200, {})]
    channel = await create(told, "webhook", {"url": sink.url})
    await told.services.ask(TestChannel(**mutation(told.context), channel=channel.id))
    await told.services.event(NotificationSent)
    (one,) = await deliveries(told, channel.id)
    assert [(each.outcome, each.response_status) for each in one.attempts] == [
        ("retrying", 429), ("retrying", 503), ("sent", 200),
    ]  # fmt: skip
    assert {headers["webhook-id"] for headers, _ in sink.received} == {f"msg_{one.id}"}
    sink.answers = [(404, {})]
    await told.services.ask(TestChannel(**mutation(told.context), channel=channel.id))
    failed = await told.services.event(NotificationFailed)
    assert (failed.delivery.status, failed.delivery.attempt) == ("failed", 1)
    assert len(sink.received) == 4


async def test_a_redirect_is_not_followed(told: Fleet, sink: Sink) -> None:
    sink.answers = [(302, {"Location": sink.url})]
    channel = await create(told, "slack", {"webhook_url": sink.url})
    await told.services.ask(TestChannel(**mutation(told.context), channel=channel.id))
    await told.services.event(NotificationFailed)
    assert len(sink.received) == 1


async def test_a_delivery_left_in_sending_is_sent_once_more_marked_as_a_possible_repeat(
    fleet: Fleet, sink: Sink
) -> None:
    """The process died between the commit of `sending` and that of `sent`: before or after the post, nobody knows."""
    channel = await create(fleet, "webhook", {"url": sink.url})
    queued = await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=channel.id))
    await leave_in_sending(fleet, queued.id)
    await fleet.services.start("notifier", **NOTIFIER)
    sent = await fleet.services.event(NotificationSent)
    assert (sent.delivery.attempt, sent.delivery.possible_repeat) == (2, True)
    command = DeliverNotification(**fleet.about(queued.id, 1))
    await fleet.services.bus.publish(command.subject(), command.to_bytes(), {"Nats-Msg-Id": str(new_id())})
    second = await fleet.services.ask(TestChannel(**mutation(fleet.context), channel=channel.id))
    await fleet.services.event(NotificationSent, lambda event: event.aggregate_id == second.id)
    assert [headers.get("canopy-possible-repeat") for headers, _ in sink.received] == ["true", None]


async def test_secrets_of_a_channel_are_never_shown_and_sealed_at_rest(fleet: Fleet) -> None:
    channel = await create(fleet, "slack", {"webhook_url": "http://127.0.0.1:9/T0/canary-secret"})
    read = await fleet.services.ask(GetChannel(**fleet.context.envelope(now()), channel=channel.id))
    assert read.config == {"webhook_url": "http://127.0.0.1/****"}
    (row,) = await fleet.rows("SELECT config::text || encode(sealed_config, 'escape') AS kept FROM channel")
    assert "canary-secret" not in row.kept
    assert all("canary-secret" not in event.model_dump_json() for event in fleet.services.events)


async def test_a_config_that_does_not_fit_is_refused_with_pointers(fleet: Fleet) -> None:
    for channel_type, config, pointer in (
        ("slack", {}, "/config/webhook_url"),
        ("slack", {"webhook_url": "ftp://example.com"}, "/config/webhook_url"),
        ("email", {"recipients": ["a@b.c\r\nBcc: x@y.z"]}, "/config/recipients/0"),
        ("webhook", {"url": "http://127.0.0.1/", "signing_secret": "short"}, "/config/signing_secret"),
        ("webhook", {"url": "http://127.0.0.1:22/"}, "/config/url"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await create(fleet, channel_type, config)
        assert refused.value.errors[0].pointer == pointer


async def test_inside_addresses_are_refused_where_the_deployment_does_not_allow_them(services: Services) -> None:
    await services.start("monitor", key_ring=KEY_RING)
    fleet = Fleet(services)
    for url in ("http://127.0.0.1/", "http://localhost/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/"):
        with pytest.raises(InvalidInput) as refused:
            await create(fleet, "slack", {"webhook_url": url})
        assert refused.value.code == "address_refused"
