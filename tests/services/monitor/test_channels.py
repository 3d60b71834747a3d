"""Channels survive the rotation of the key ring that seals their secrets, and do not point inside unless they may."""

import pytest

from shared.kit.errors import InvalidInput, PermissionDenied
from shared.messages.channels import CreateChannel, ListChannels, RotateChannelSecrets, TestChannel
from shared.messages.context import Context
from shared.messages.notifications import NotificationSent
from tests.fixtures.services import Services, mutation
from tests.services.monitor.conftest import KEY_RING, Fleet, key_ring, now
from tests.services.monitor.sinks import running_sink

pytestmark = pytest.mark.anyio


async def test_after_a_rotation_channels_deliver_without_the_old_key(services: Services) -> None:
    fleet = Fleet(services)
    private = {"allow_private_webhooks": True, "sweep_s": 3600, "rotation_every_s": 3600}
    old = await services.start("monitor", key_ring=KEY_RING, **private)
    async with running_sink() as sink:
        request = CreateChannel(
            **mutation(fleet.context), channel_type="slack", channel_name="ops", config={"webhook_url": sink.url}
        )
        channel = await services.ask(request)
        await old.stop()
        between = await services.start("monitor", key_ring=key_ring("k2", "k1"), **private)
        rotate = RotateChannelSecrets(**Context.background().envelope(now()))
        with pytest.raises(PermissionDenied):
            await services.ask(rotate.model_copy(update={"organization": fleet.organization}))
        found = await services.ask(rotate)
        assert found.remaining == 0
        await between.stop()
        await services.start("monitor", key_ring=key_ring("k2"), **private)
        await services.start("notifier", key_ring=key_ring("k2"), allow_private_webhooks=True)
        await services.ask(TestChannel(**mutation(fleet.context), channel=channel.id))
        await services.event(NotificationSent)
        assert len(sink.received) == 1


INSIDE = ("http://127.0.0.1:9/x", "http://169.254.169.254/latest/meta-data", "http://10.0.0.7/x", "http://[::1]/x",
          "http://localhost/x")  # fmt: skip


async def test_an_address_that_points_inside_is_refused_and_nothing_stored_unless_the_deployment_allows_it(
    services: Services,
) -> None:
    fleet = Fleet(services)
    await services.start("monitor", key_ring=KEY_RING, sweep_s=3600)
    for kind, field in (("slack", "webhook_url"), ("webhook", "url")):
        for address in INSIDE:
            request = CreateChannel(
                **mutation(fleet.context), channel_type=kind, channel_name=f"{kind} {address}", config={field: address}
            )
            with pytest.raises(InvalidInput) as refused:
                await services.ask(request)
            assert field in str(refused.value.errors), (kind, address)
    page = await services.ask(ListChannels(**fleet.context.envelope(now())))
    assert page.items == []
