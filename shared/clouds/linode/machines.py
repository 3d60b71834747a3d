"""How are Linodes made, read and changed?"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.clouds.capabilities import Machines
from shared.clouds.errors import Conflict, IncorrectState, NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.default_images import DefaultImages
from shared.clouds.libcloud.driver import DOCUMENT
from shared.clouds.libcloud.refusals import invalid, made_for, not_found, wrong_state
from shared.clouds.libcloud.tags import from_words, replaced_by
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import Document, page_of, pages_of
from shared.clouds.linode.private_networks import Place, place_of, places
from shared.clouds.linode.tags import TAGS
from shared.clouds.models import Machine, MachineSpec, MachineState

_PATH = "/v4/linode/instances"
_STATES: Mapping[str, MachineState] = {
    "provisioning": MachineState.PENDING,
    "booting": MachineState.PENDING,
    "rebooting": MachineState.PENDING,
    "running": MachineState.RUNNING,
    "shutting_down": MachineState.STOPPING,
    "offline": MachineState.STOPPED,
    "stopped": MachineState.STOPPED,
    "resizing": MachineState.STOPPED,  # it is off meanwhile, and cannot be started: "Linode busy."
    "deleting": MachineState.SHUTTING_DOWN,
}
"""The others (migrating, rebuilding, cloning, restoring, billing_suspension…) are on their way to something."""


def _random_password() -> str:
    return secrets.token_urlsafe(48)


class LinodeMachines(Machines):
    """Linode takes no token, but a label is unique in its account: the label made of the token is what makes a create
    repeatable, between processes too, and what a machine is found by.

    A deleted Linode is forgotten, with its label: then `get` is `NotFound`, `find_by_token` None, and a create with its
    token makes a new one.
    """

    def __init__(
        self, client: LibcloudClient, images: DefaultImages, *, new_password: Callable[[], str] = _random_password
    ) -> None:
        self._client = client
        self._images = images
        self._new_password = new_password

    async def create(self, region: str, spec: MachineSpec) -> Machine:
        """A repeat, also after a lost answer, is refused by Linode for its label and answers the one that has it.

        Linode wants a password for root; it gets one that nobody knows.
        """
        words = TAGS.to_words(spec.tags, spec.token, operation="instances.create")
        _check(region, spec)
        known = await self.find_by_token(region, spec.token)
        if known is None:
            image = spec.image or await self._images.newest(region)
            ask = partial(_create, region=region, spec=spec, image=image, words=words, password=self._new_password())
            try:
                made = await self._client.call("instances.create", ask, region=region, reads=False)
            except Conflict:
                known = await self.find_by_token(region, spec.token)
                if known is None:
                    raise
            else:
                return self._read(made)
        return made_for(known, spec, provider=PROVIDER, operation="instances.create")

    async def find_by_token(self, region: str, token: str) -> Machine | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        filters = {"region": region, "label": name_of(token)}
        page = await page_of(self._client, "instances.list", _PATH, region=region, filters=filters)
        found = [self._read(each) for each in page.things]
        known = next((each for each in found if each.token == token and each.region == region), None)
        return None if known is None else await self._placed(known)

    async def get(self, region: str, machine_id: str) -> Machine:
        if machine_id.isdecimal():
            path = f"{_PATH}/{machine_id}"
            machine = self._read(await self._client.request("instances.get", "GET", path, region=region))
            if machine.region == region:
                return await self._placed(machine)
        raise not_found(f"Linode {machine_id} in {region}", provider=PROVIDER, operation="instances.get")

    async def pages(self, region: str, *, page_size: int = 1000) -> AsyncIterator[list[Machine]]:
        """One call more for all: in which VPC each is."""
        filters, known = {"region": region}, await places(self._client, region)
        pages = pages_of(
            self._client, "instances.list", _PATH, region=region, page_size=page_size, filters=filters
        )  # fmt: skip
        async for page in pages:
            yield [_at(machine, known.get(machine.id)) for machine in map(self._read, page)]

    async def start(self, region: str, machine_id: str) -> None:
        machine = await self.get(region, machine_id)
        if machine.state in {MachineState.RUNNING, MachineState.PENDING}:
            return
        if machine.state is MachineState.STOPPING:
            raise wrong_state(StillWorking, machine, provider=PROVIDER, operation="instances.boot")
        await self._act(region, "instances.boot", lambda driver: driver.start_node(driver.node(machine_id)))

    async def stop(self, region: str, machine_id: str) -> None:
        machine = await self.get(region, machine_id)
        if machine.state in {MachineState.STOPPED, MachineState.STOPPING}:
            return
        if machine.state is MachineState.PENDING:
            raise wrong_state(StillWorking, machine, provider=PROVIDER, operation="instances.shutdown")
        await self._act(region, "instances.shutdown", lambda driver: driver.stop_node(driver.node(machine_id)))

    async def resize(self, region: str, machine_id: str, instance_type: str) -> None:
        """The disks stay as they are, since grown ones never fit a smaller type again."""
        machine = await self.get(region, machine_id)
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
        """The region is not asked: Linodes' numbers are unique in all of them."""
        if not machine_id.isdecimal():
            return
        try:
            await self._act(region, "instances.delete", lambda driver: driver.destroy_node(driver.node(machine_id)))
        except NotFound:
            return

    async def tag(self, region: str, machine_id: str, tags: Mapping[str, str]) -> None:
        """Linode sets all tags of a machine at once: what another sets between our read and our write is lost."""
        TAGS.check(tags, operation="instances.update")
        if not machine_id.isdecimal():
            raise not_found(f"Linode {machine_id} in {region}", provider=PROVIDER, operation="instances.update")
        path = f"{_PATH}/{machine_id}"
        answer = await self._client.request("instances.get", "GET", path, region=region, wants=("tags", "region"))
        before = [str(each) for each in answer["tags"]]
        if answer["region"] != region:
            raise not_found(f"Linode {machine_id} in {region}", provider=PROVIDER, operation="instances.update")
        wanted = [word for key, value in tags.items() for word in TAGS.words_of(key, value)]
        gone = replaced_by(before, tags, wanted)
        after = list(dict.fromkeys([*(each for each in before if each not in gone), *wanted]))
        await self._client.request("instances.update", "PUT", path, region=region, document={"tags": after})

    async def _act(self, region: str, operation: str, ask: Callable[[Any], Any]) -> None:
        await self._client.call(operation, ask, region=region, reads=False)

    async def _placed(self, machine: Machine) -> Machine:
        return _at(machine, await place_of(self._client, machine.region, machine.id))

    def _read(self, document: Document) -> Machine:
        with self._client.reading("instances.get"):
            return _machine(document)


def _create(driver: Any, *, region: str, spec: MachineSpec, image: str, words: list[str], password: str) -> Document:
    attributes: dict[str, Any] = {
        "region": region,
        "label": name_of(spec.token),
        "type": spec.instance_type,
        "image": image,
        "root_pass": password,
        "tags": words,
    }
    if spec.subnet_id is not None:
        attributes["interface_generation"] = "legacy_config"
        attributes["interfaces"] = [{"purpose": "public"}, {"purpose": "vpc", "subnet_id": int(spec.subnet_id)}]
    if spec.security_groups:
        attributes["firewall_id"] = int(spec.security_groups[0])
    document: Document = driver.create_instance(attributes).extra[DOCUMENT]
    return document


def _check(region: str, spec: MachineSpec) -> None:
    """What a Linode does not have is refused, not left out."""
    wrong = None
    if spec.zone not in {None, region}:
        wrong = "availability_zone", f"is {region}, the region itself, or left out"
    elif len(spec.security_groups) > 1 or not all(each.isdecimal() for each in spec.security_groups):
        wrong = "security_groups", "are one firewall's number at most"
    elif spec.subnet_id is not None and not spec.subnet_id.isdecimal():
        wrong = "subnet_id", "is the number of a VPC's subnet"
    elif spec.root_volume_gib is not None:
        wrong = "volume_size_gib", "is that of the type; a Linode's disk cannot be chosen"
    if wrong is not None:
        raise invalid(*wrong, provider=PROVIDER, operation="instances.create")


def _at(machine: Machine, place: Place | None) -> Machine:
    if place is None:
        return machine
    private = machine.private_ip or place.address
    return replace(machine, network_id=place.network_id, subnet_id=place.subnet_id, private_ip=private)


def _machine(document: Document) -> Machine:
    addresses = [str(each) for each in document["ipv4"]]
    private = [each for each in addresses if each.startswith("192.168.")]  # Linode's own: 192.168.128.0/17
    public = [each for each in addresses if each not in private]
    region = str(document["region"])
    return Machine(
        id=str(document["id"]),
        state=_STATES.get(str(document["status"]), MachineState.PENDING),
        instance_type=str(document["type"]),
        image=str(document["image"] or ""),
        region=region,
        zone=region,
        tags=from_words(document["tags"]),
        private_ip=private[0] if private else None,
        public_ip=public[0] if public else None,
        launched_at=datetime.fromisoformat(document["created"]).replace(tzinfo=UTC),
        architecture="x86_64",  # Linode has no other
        root_device_name="/dev/sda",  # the Linode's own disk, which is no volume
    )
