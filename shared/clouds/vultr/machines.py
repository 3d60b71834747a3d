"""How are Vultr's instances made, read and changed?"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.clouds.capabilities import Machines
from shared.clouds.errors import IncorrectState, NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.default_images import DefaultImages
from shared.clouds.libcloud.driver import DOCUMENT
from shared.clouds.libcloud.refusals import invalid, made_for, not_found, wrong_state
from shared.clouds.libcloud.tags import from_words, replaced_by
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import Machine, MachineSpec, MachineState
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.lists import PAGE_MAX, UUID, Document, pages_of
from shared.clouds.vultr.memberships import Memberships, Ranges
from shared.clouds.vultr.networks import WALL_PREFIX
from shared.clouds.vultr.tags import TAGS


class VultrMachines(Machines):
    """Vultr takes no token, and labels are not unique: a create first looks for the label made of the token.

    A deleted instance is forgotten: then `get` is `NotFound`, `find_by_token` None, and a create with its token makes a
    new one. Whether lists lag behind creates Vultr does not say: a caller that repeats after `outcome_unknown` waits
    some seconds.
    """

    def __init__(self, client: LibcloudClient, images: DefaultImages) -> None:
        self._client = client
        self._images = images
        self._memberships = Memberships(client)

    async def create(self, region: str, spec: MachineSpec) -> Machine:
        """A repeat answers the instance that carries the token; after a lost answer only a repeat tells whether it is.

        Two creates of a token at once in one process make one instance. Nothing at Vultr keeps two processes from
        making two: the journal's lease does. The answer's password for root is dropped unread.
        """
        words = TAGS.to_words(spec.tags, spec.token, operation="instances.create")
        _check(region, spec)
        async with self._client.one_create_of(f"{region} {spec.token}"):
            known = await self.find_by_token(region, spec.token)
            if known is not None:
                return made_for(known, spec, provider=PROVIDER, operation="instances.create")
            image = spec.image or await self._images.newest(region)
            attributes = {**_attributes(region, spec, image), "tags": words}
            ask = partial(_create, attributes=attributes)
            made = await self._client.call("instances.create", ask, region=region, reads=False)
        return self._read(made, next(iter(attributes.get("attach_vpc", ())), None))

    async def find_by_token(self, region: str, token: str) -> Machine | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        answer = await self._list(region, label=name_of(token), per_page=PAGE_MAX)
        found = [(self._read(each), each) for each in answer["instances"]]
        mine = [(str(machine.launched_at), machine.id, each) for machine, each in found
                if machine.token == token and machine.region == region]  # fmt: skip
        first = min(mine, key=lambda each: each[:2], default=None)
        return None if first is None else await self._whole(first[2], region)

    async def get(self, region: str, machine_id: str) -> Machine:
        return await self._whole(await self._document(region, machine_id), region)

    async def pages(self, region: str, *, page_size: int = 1000) -> AsyncIterator[list[Machine]]:
        pages = pages_of(
            self._client, "instances", "/v2/instances", region=region, page_size=page_size, query={"region": region}
        )  # fmt: skip
        ranges: Ranges = ()
        async for page in pages:
            here = [each for each in page if each.get("region") == region]
            if not ranges and any(each.get("internal_ip") for each in here):
                ranges = await self._memberships.ranges(region)
            yield [await self._whole(each, region, ranges) for each in here]

    async def start(self, region: str, machine_id: str) -> None:
        machine = self._read(await self._document(region, machine_id))
        if machine.state in {MachineState.RUNNING, MachineState.PENDING}:
            return
        if machine.state is MachineState.STOPPING:
            raise wrong_state(StillWorking, machine, provider=PROVIDER, operation="instances.start")
        await self._act(region, "instances.start", lambda driver: driver.start_node(driver.node(machine_id)))

    async def stop(self, region: str, machine_id: str) -> None:
        """Vultr cuts the power; it has no way of asking the guest."""
        machine = self._read(await self._document(region, machine_id))
        if machine.state in {MachineState.STOPPED, MachineState.STOPPING}:
            return
        if machine.state is not MachineState.RUNNING:
            raise wrong_state(StillWorking, machine, provider=PROVIDER, operation="instances.halt")
        await self._act(region, "instances.halt", lambda driver: driver.ex_stop_nodes([driver.node(machine_id)]))

    async def resize(self, region: str, machine_id: str, instance_type: str) -> None:
        """Vultr grows the disk with the plan, so that no smaller plan fits again: it refuses those."""
        machine = self._read(await self._document(region, machine_id))
        if machine.instance_type == instance_type:
            return
        if machine.state is not MachineState.STOPPED:
            raise wrong_state(IncorrectState, machine, provider=PROVIDER, operation="instances.resize")
        await self._act(
            region,
            "instances.resize",
            lambda driver: driver.ex_resize_node(driver.node(machine_id), driver.size(instance_type)),
        )

    async def terminate(self, region: str, machine_id: str) -> None:
        """The region is not asked: instances' ids are unique in all of them."""
        if not UUID.fullmatch(machine_id):
            return
        try:
            await self._act(region, "instances.delete", lambda driver: driver.destroy_node(driver.node(machine_id)))
        except NotFound:
            return

    async def tag(self, region: str, machine_id: str, tags: Mapping[str, str]) -> None:
        """Vultr sets all tags of a machine at once: what another sets between our read and our write is lost."""
        TAGS.check(tags, operation="instances.update")
        document = await self._document(region, machine_id)
        with self._client.reading("instances.get"):
            before = [str(each) for each in document["tags"]]
        wanted = [word for key, value in tags.items() for word in TAGS.words_of(key, value)]
        gone = replaced_by(before, tags, wanted)
        after = list(dict.fromkeys([*(each for each in before if each not in gone), *wanted]))
        path = f"/v2/instances/{machine_id}"
        await self._client.request("instances.update", "PATCH", path, region=region, document={"tags": after})

    async def _list(self, region: str, **query: object) -> Document:
        return await self._client.request(
            "instances.list", "GET", "/v2/instances", region=region, query={"region": region, **query},
            wants=("instances",),
        )  # fmt: skip

    async def _document(self, region: str, machine_id: str) -> Document:
        if UUID.fullmatch(machine_id):
            path = f"/v2/instances/{machine_id}"
            answer = await self._client.request("instances.get", "GET", path, region=region, wants=("instance",))
            document: Document = answer["instance"]
            if document.get("region") == region:
                return document
        raise not_found(f"instance {machine_id[:100]} in {region}", provider=PROVIDER, operation="instances.get")

    async def _act(self, region: str, operation: str, ask: Callable[[Any], Any]) -> None:
        await self._client.call(operation, ask, region=region, reads=False)

    async def _whole(self, document: Document, region: str, ranges: Ranges = ()) -> Machine:
        return self._read(document, await self._memberships.of(document, region, ranges))

    def _read(self, document: Document, network_id: str | None = None) -> Machine:
        with self._client.reading("instances.get"):
            return _machine(document, network_id)


def _attributes(region: str, spec: MachineSpec, image: str) -> dict[str, Any]:
    """An instance in a wall has no public address, and is in the wall's network alone.

    Else it has a public address, and is in the VPC that is named besides.
    """
    attributes: dict[str, Any] = {
        "label": name_of(spec.token),
        "region": region,
        "plan": spec.instance_type,
        "activation_email": False,
    }
    if image.isdecimal():
        attributes["os_id"] = int(image)
    else:
        attributes["snapshot_id"] = image
    if spec.subnet_id is not None:
        attributes["attach_vpc"] = [spec.subnet_id]
    for group in spec.security_groups:
        if group.startswith(WALL_PREFIX):
            network = group.removeprefix(WALL_PREFIX)
            attributes |= {"attach_vpc": [network], "vpc_only": True, "enable_ipv6": False}
        else:
            attributes["firewall_group_id"] = group
    return attributes


def _create(driver: Any, *, attributes: Mapping[str, Any]) -> Document:
    document: Document = driver.create_instance(attributes).extra[DOCUMENT]
    return document


def _check(region: str, spec: MachineSpec) -> None:
    """What an instance does not have is refused, not left out."""
    wrong = None
    if spec.zone not in {None, region}:
        wrong = "availability_zone", f"is {region}, the region itself, or left out"
    elif spec.subnet_id is not None and not UUID.fullmatch(spec.subnet_id):
        wrong = "subnet_id", "is a VPC's id"
    elif spec.subnet_id is not None and any(each.startswith(WALL_PREFIX) for each in spec.security_groups):
        wrong = "subnet_id", "is left out for an instance in a wall"
    elif spec.root_volume_gib is not None:
        wrong = "volume_size_gib", "is that of the plan; an instance's disk cannot be chosen"
    elif len(spec.security_groups) > 1:
        wrong = "security_groups", "are one firewall group at most"
    elif spec.image is not None and not (re.fullmatch(r"[0-9]{1,9}", spec.image) or UUID.fullmatch(spec.image)):
        wrong = "image", "is an operating system's number or a snapshot's id"
    if wrong is not None:
        raise invalid(*wrong, provider=PROVIDER, operation="instances.create")


def _state(document: Document) -> MachineState:
    """Three words of Vultr's say it together; `locked` is a server that is being changed, off while it is resized."""
    status, power, server = (str(document[name]) for name in ("status", "power_status", "server_status"))
    if status == "pending" or server == "installingbooting":
        return MachineState.PENDING
    if power != "running":
        return MachineState.STOPPED
    return MachineState.STOPPING if server == "locked" else MachineState.RUNNING


def _machine(document: Document, network_id: str | None) -> Machine:
    region, group = str(document["region"]), document.get("firewall_group_id")
    public = str(document.get("main_ip") or "")
    return Machine(
        id=str(document["id"]),
        state=_state(document),
        instance_type=str(document["plan"]),
        image=str(document.get("snapshot_id") or document["os_id"]),
        region=region,
        zone=region,
        tags=from_words(document["tags"]),
        private_ip=document.get("internal_ip") or None,
        public_ip=None if public in {"", "0.0.0.0"} else public,  # noqa: S104 - Vultr's word for "not yet"
        network_id=network_id,
        security_groups=(str(group),) if group else (),
        launched_at=datetime.fromisoformat(document["date_created"]).astimezone(UTC),
        architecture="x86_64",  # Vultr has no other
        root_device_name="/dev/vda",  # the instance's own disk, which is no volume
    )
