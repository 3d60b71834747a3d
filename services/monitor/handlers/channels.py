"""How are notification channels kept? Addresses are checked against inside targets, secrets sealed and shown masked."""

import json
import secrets
import time
from typing import Any
from uuid import UUID

from services.monitor.deps import Deps
from services.monitor.domain.channels import URL_FIELD, check_config, masked, new_secret
from services.monitor.domain.notifications import test_alert
from services.monitor.storage import channels, deliveries
from services.monitor.storage.rotation import rotate_batch
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.errors import FieldError, InvalidInput, PermissionDenied
from shared.kit.ids import new_id
from shared.messages.base import SYSTEM, Page
from shared.messages.channels import (
    Channel,
    ChannelCreated,
    ChannelDeleted,
    ChannelEvent,
    ChannelUpdated,
    CreateChannel,
    DeleteChannel,
    GetChannel,
    ListChannels,
    RotateChannelSecrets,
    TestChannel,
    UpdateChannel,
)
from shared.messages.context import Context
from shared.messages.deliveries import Delivery
from shared.messages.providers import Rotation
from shared.outward.addresses import RefusedAddress, UnresolvedAddress, check, parse
from shared.outward.mails import is_address

routes = Routes()

ROTATION_BATCH = 50
ROTATION_S = 5.0
"""Half of what its asker waits."""


@routes.request(CreateChannel)
async def create_channel(request: CreateChannel, deps: Deps) -> Channel:
    config = await _checked(request.channel_type, request.config, deps)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        channel_id = new_id()
        values = {
            "id": channel_id, "organization_id": work.organization, "channel_type": request.channel_type,
            "name": request.channel_name, "minimum_severity": request.minimum_severity,
            "is_enabled": request.is_enabled, "created_at": work.now, "updated_at": work.now, "version": 1,
            **_kept(request.channel_type, config, work, channel_id, deps),
        }  # fmt: skip
        await channels.add(work, values)
        channel = channels.channel_of(values)
        _record(work, ChannelCreated, channel, "channel.create")
        acceptance.answer(channel)
    return channel


@routes.request(UpdateChannel)
async def update_channel(request: UpdateChannel, deps: Deps) -> Channel:
    given = {"name": request.channel_name, "minimum_severity": request.minimum_severity}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if request.is_enabled is not None:
        values["is_enabled"] = request.is_enabled
    config = None
    if request.config is not None:
        async with deps.database.work(Context.of(request)) as work:
            channel_type = (await channels.get(work, request.channel))["channel_type"]
        config = await _checked(channel_type, request.config, deps)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        row = await channels.lock(work, request.channel)
        request.check_version("channel", row["version"])
        if config is not None:
            values |= _kept(row["channel_type"], config, work, request.channel, deps)
        channel = channels.channel_of(await channels.change(work, request.channel, **values))
        _record(work, ChannelUpdated, channel, "channel.update")
        acceptance.answer(channel)
    return channel


@routes.request(DeleteChannel)
async def delete_channel(request: DeleteChannel, deps: Deps) -> Channel:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        request.check_version("channel", (await channels.lock(work, request.channel))["version"])
        row = await channels.change(
            work, request.channel, deleted_at=work.now, is_enabled=False, sealed_config=b"", key_id=None
        )
        channel = channels.channel_of(row)
        _record(work, ChannelDeleted, channel, "channel.delete")
        acceptance.answer(channel)
    return channel


@routes.request(GetChannel)
async def get_channel(request: GetChannel, deps: Deps) -> Channel:
    async with deps.database.work(Context.of(request)) as work:
        return channels.channel_of(await channels.get(work, request.channel))


@routes.request(ListChannels)
async def list_channels(request: ListChannels, deps: Deps) -> Page[Channel]:
    async with deps.database.work(Context.of(request)) as work:
        items, cursor = await channels.page(work, request)
    return Page[Channel](items=items, next_cursor=cursor)


@routes.request(TestChannel)
async def send_test(request: TestChannel, deps: Deps) -> Delivery:
    """The notifier sends it like any other."""
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        row = await channels.get(work, request.channel)
        content = {"event_type": "channel.test", "alert": test_alert(row["name"], work.now.isoformat())}
        stored = await deliveries.add(work, request.id, request.channel, "test", content, None)
        if stored is None:
            raise InvalidInput("this request was queued before")
        delivery = deliveries.delivery_of(stored)
        work.audit("channel.test", request.channel, row["version"], row["name"])
        acceptance.answer(delivery)
    return delivery


@routes.request(RotateChannelSecrets)
async def rotate_channel_secrets(request: RotateChannelSecrets, deps: Deps) -> Rotation:
    """Seal again as many as fit into the request's time."""
    if request.organization != SYSTEM:
        raise PermissionDenied("keys belong to the deployment, not to an organization")
    until_s = time.monotonic() + ROTATION_S
    rotated = 0
    while time.monotonic() < until_s:
        batch = await rotate_batch(deps.database, deps.key_ring, ROTATION_BATCH)
        rotated += batch
        if batch == 0:
            break
    async with deps.database.work(Context.background()) as work:
        remaining = await channels.count_sealed_otherwise(work, deps.key_ring.primary)
    return Rotation(rotated=rotated, remaining=remaining)


async def _checked(channel_type: str, config: dict[str, Any], deps: Deps) -> dict[str, Any]:
    """The config to keep; raises InvalidInput also for an address inside or one that does not resolve."""
    checked = check_config(channel_type, config, is_address)
    field = URL_FIELD.get(channel_type)
    if field is not None:
        try:
            await check(checked[field], allow_inside=deps.settings.allow_private_webhooks)
        except (RefusedAddress, UnresolvedAddress) as error:
            raise InvalidInput(
                "this address is not allowed",
                code="address_refused",
                errors=[FieldError(f"/config/{field}", str(error))],
            ) from error
    if channel_type == "webhook":
        checked.setdefault("signing_secret", new_secret(secrets.token_bytes(24)))
    return checked


def _kept(channel_type: str, config: dict[str, Any], work: Work, channel_id: UUID, deps: Deps) -> dict[str, Any]:
    """What is shown, and what is sealed."""
    field = URL_FIELD.get(channel_type)
    host = None
    if field is not None:
        scheme, name, _ = parse(config[field])
        host = f"{scheme}://{name}"
    sealed = deps.key_ring.seal(
        json.dumps(config).encode(), organization=work.organization, record=channel_id, field=channels.FIELD
    )
    return {"config": masked(config, host), "sealed_config": sealed, "key_id": deps.key_ring.primary}


def _record(work: Work, event: type[ChannelEvent], channel: Channel, action: str) -> None:
    work.emit(event(**work.about(channel.id, channel.version), channel=channel))
    details = {"channel_type": channel.channel_type, "minimum_severity": channel.minimum_severity}
    work.audit(action, channel.id, channel.version, channel.name, details)
