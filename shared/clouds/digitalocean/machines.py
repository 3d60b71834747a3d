"""How are droplets made, read and changed?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from shared.clouds.capabilities import Machines
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import PAGE_MAX, Document, pages_of
from shared.clouds.digitalocean.tagging import put_tags
from shared.clouds.digitalocean.tags import TAGS, token_tag
from shared.clouds.digitalocean.walls import wall_tag, without_walls
from shared.clouds.errors import IncorrectState, InvalidRequest, NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.default_images import DefaultImages
from shared.clouds.libcloud.driver import DOCUMENT
from shared.clouds.libcloud.refusals import invalid, made_for, not_found, wrong_state
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import AttachedVolume, Machine, MachineSpec, MachineState

_STATES: Mapping[str, MachineState] = {
    "new": MachineState.PENDING,
    "active": MachineState.RUNNING,
    "off": MachineState.STOPPED,
    "archive": MachineState.TERMINATED,  # as libcloud reads it: it cannot be started
}
_ON_ITS_WAY: Mapping[tuple[str, str], MachineState] = {
    ("active", "shutdown"): MachineState.STOPPING,
    ("active", "power_off"): MachineState.STOPPING,
    ("off", "power_on"): MachineState.PENDING,
}
"""Status and action under way: DigitalOcean itself has no word for a droplet that is stopping."""

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")


class DigitalOceanMachines(Machines):
    """DigitalOcean takes no token, and droplets' names are not unique: a create first looks for the token's tag.

    A destroyed droplet is forgotten at once, with its tags: then `get` is `NotFound`, `find_by_token` None, and a
    create with its token makes a new one. Whether lists lag behind creates DigitalOcean does not say: a caller that
    repeats after `outcome_unknown` waits some seconds.
    """

    def __init__(self, client: LibcloudClient, images: DefaultImages) -> None:
        self._client = client
        self._images = images

    async def create(self, region: str, spec: MachineSpec) -> Machine:
        """A repeat answers the droplet that carries the token; after a lost answer only a repeat tells whether it is.

        Two creates of a token at once in one process make one droplet. Nothing at DigitalOcean keeps two processes
        from making two: the journal's lease does.
        """
        names = TAGS.to_words(spec.tags, spec.token, operation="droplets.create")
        _check(region, spec)
        async with self._client.one_create_of(f"{region} {spec.token}"):
            known = await self.find_by_token(region, spec.token)
            if known is not None:
                return made_for(known, spec, provider=PROVIDER, operation="droplets.create")
            image = spec.image or await self._images.newest(region)
            names += await self._wall_tags(region, spec)
            ask = partial(_create, region=region, spec=spec, image=image, names=names)
            try:
                made = await self._client.call("droplets.create", ask, region=region, reads=False)
            except NotFound as error:
                raise InvalidRequest(error.code, error.message, provider=PROVIDER, operation=error.operation) from None
        with self._client.reading("droplets.create"):
            return _machine(made, None)

    async def find_by_token(self, region: str, token: str) -> Machine | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        query = {"tag_name": token_tag(token), "per_page": PAGE_MAX}
        answer = await self._client.request("droplets.list", "GET", "/v2/droplets", query=query, wants=("droplets",))
        here = [each for each in answer["droplets"] if each["region"]["slug"] == region]
        return await self._read(min(here, key=lambda each: int(each["id"]))) if here else None

    async def get(self, region: str, machine_id: str) -> Machine:
        return await self._read(await self._document(region, machine_id))

    async def pages(self, region: str, *, page_size: int = 1000) -> AsyncIterator[list[Machine]]:
        """DigitalOcean lists all regions together, at most 200 a page: a page here has those of the region."""
        async for page in pages_of(self._client, "droplets", "/v2/droplets", page_size=page_size):
            here = [each for each in page if each["region"]["slug"] == region]
            yield list(await asyncio.gather(*(self._read(each) for each in here)))

    async def start(self, region: str, machine_id: str) -> None:
        document = await self._document(region, machine_id)
        machine = await self._read(document)
        if machine.state in {MachineState.RUNNING, MachineState.PENDING}:
            return
        if machine.state is MachineState.TERMINATED:
            raise wrong_state(IncorrectState, machine, provider=PROVIDER, operation="droplets.start")
        if machine.state is MachineState.STOPPING or document["locked"]:
            raise wrong_state(StillWorking, machine, provider=PROVIDER, operation="droplets.start")
        await self._act(region, "droplets.start", lambda driver: driver.ex_power_on_node(driver.node(machine_id)))

    async def stop(self, region: str, machine_id: str) -> None:
        """Asks the guest to shut down; when it did not obey the last time, the power is cut."""
        machine = await self.get(region, machine_id)
        if machine.state in {MachineState.STOPPED, MachineState.STOPPING}:
            return
        if machine.state is not MachineState.RUNNING:
            wrong = StillWorking if machine.state is MachineState.PENDING else IncorrectState
            raise wrong_state(wrong, machine, provider=PROVIDER, operation="droplets.stop")
        before = await self._latest_action(machine_id)
        if before is not None and (before["type"], before["status"]) == ("shutdown", "errored"):
            await self._act(region, "droplets.stop", lambda driver: driver.act(machine_id, {"type": "power_off"}))
        else:
            await self._act(region, "droplets.stop", lambda driver: driver.ex_shutdown_node(driver.node(machine_id)))

    async def resize(self, region: str, machine_id: str, instance_type: str) -> None:
        """CPU and memory only; the disk stays as it is, since a grown one never fits a smaller type again."""
        machine = await self.get(region, machine_id)
        if machine.instance_type == instance_type:
            return
        if machine.state is not MachineState.STOPPED:
            raise wrong_state(IncorrectState, machine, provider=PROVIDER, operation="droplets.resize")
        await self._act(
            region,
            "droplets.resize",
            lambda driver: driver.ex_resize_node(driver.node(machine_id), driver.size(instance_type)),
        )

    async def terminate(self, region: str, machine_id: str) -> None:
        """The region is not asked: droplets' numbers are unique in all of them."""
        if not machine_id.isdecimal():
            return
        try:
            await self._act(region, "droplets.destroy", lambda driver: driver.destroy_node(driver.node(machine_id)))
        except NotFound:
            return

    async def tag(self, region: str, machine_id: str, tags: Mapping[str, str]) -> None:
        before = (await self._document(region, machine_id))["tags"]
        await put_tags(self._client, region, ("droplet", machine_id), before, tags)

    async def _wall_tags(self, region: str, spec: MachineSpec) -> list[str]:
        """The tag by which a droplet is inside of its firewall from the beginning."""
        if not spec.security_groups:
            return []
        path, tag = f"/v2/firewalls/{quote(spec.security_groups[0])}", None
        with suppress(NotFound):
            answer = await self._client.request("firewalls.get", "GET", path, region=region, wants=("firewall",))
            tag = wall_tag(answer["firewall"]["tags"] or ())
        if tag is None:
            detail = "is no firewall that a droplet can be created in"
            raise invalid("security_groups", detail, provider=PROVIDER, operation="droplets.create")
        return [tag]

    async def _act(self, region: str, operation: str, ask: Any) -> None:
        await self._client.call(operation, ask, region=region, reads=False)

    async def _document(self, region: str, machine_id: str) -> Document:
        if machine_id.isdecimal():
            path = f"/v2/droplets/{machine_id}"
            answer = await self._client.request("droplets.get", "GET", path, region=region, wants=("droplet",))
            document: Document = answer["droplet"]
            if document["region"]["slug"] == region:
                return document
        raise not_found(f"droplet {machine_id} in {region}", provider=PROVIDER, operation="droplets.get")

    async def _read(self, document: Document) -> Machine:
        """A locked droplet has an action under way, which says where it is going."""
        action = await self._latest_action(str(document["id"])) if document["locked"] else None
        with self._client.reading("droplets.get"):
            under_way = action is not None and action["status"] == "in-progress"
            return _machine(document, str(action["type"]) if action is not None and under_way else None)

    async def _latest_action(self, machine_id: str) -> Document | None:
        path = f"/v2/droplets/{machine_id}/actions"
        try:
            answer = await self._client.request("actions.list", "GET", path, query={"per_page": 20}, wants=("actions",))
        except NotFound:  # destroyed since we read it
            return None
        return max(answer["actions"], key=lambda each: int(each["id"]), default=None)


def _create(driver: Any, *, region: str, spec: MachineSpec, image: str, names: list[str]) -> Document:
    attributes: dict[str, Any] = {"tags": names, "monitoring": spec.detailed_monitoring}
    if spec.subnet_id is not None:
        attributes["vpc_uuid"] = spec.subnet_id
    name = spec.tags.get("Name", "")
    node = driver.create_node(
        name if _HOST_NAME.fullmatch(name) else name_of(spec.token),
        driver.size(spec.instance_type),
        driver.image(image),
        driver.location(region),
        ex_create_attr=attributes,
    )
    document: Document = node.extra[DOCUMENT]
    return document


def _check(region: str, spec: MachineSpec) -> None:
    """What a droplet does not have is refused, not left out."""
    wrong = None
    if spec.zone not in {None, region}:
        wrong = "availability_zone", f"is {region}, the region itself, or left out"
    elif len(spec.security_groups) > 1:
        wrong = "security_groups", "are one firewall at most"
    elif spec.root_volume_gib is not None:
        wrong = "volume_size_gib", "is that of the size; a droplet's disk cannot be chosen"
    elif spec.image is not None and not re.fullmatch(r"[a-zA-Z0-9._-]+", spec.image):
        wrong = "image", "is a slug or a number"
    if wrong is not None:
        raise invalid(*wrong, provider=PROVIDER, operation="droplets.create")


def _machine(document: Document, action: str | None) -> Machine:
    status = str(document["status"])
    state = _STATES.get(status, MachineState.PENDING)
    networks = (document.get("networks") or {}).get("v4") or []
    addresses = {str(each["type"]): str(each["ip_address"]) for each in networks}
    image = document["image"]
    slug = str(document["region"]["slug"])
    return Machine(
        id=str(document["id"]),
        state=state if action is None else _ON_ITS_WAY.get((status, action), state),
        instance_type=str(document["size_slug"]),
        image=str(image.get("slug") or image["id"]),
        region=slug,
        zone=slug,
        tags=from_words(without_walls(document["tags"])),
        private_ip=addresses.get("private"),
        public_ip=addresses.get("public"),
        subnet_id=document.get("vpc_uuid") or None,
        network_id=document.get("vpc_uuid") or None,
        launched_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
        architecture="x86_64",  # DigitalOcean has no other
        root_device_name="/dev/vda",  # the droplet's own disk, which is no volume
        volumes=tuple(AttachedVolume(str(each), "") for each in document.get("volume_ids") or ()),
        detailed_monitoring="monitoring" in document.get("features", ()),
    )
