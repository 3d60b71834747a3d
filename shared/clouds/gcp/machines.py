"""How are Compute Engine instances made, read and changed?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from shared.clouds.capabilities import Machines
from shared.clouds.errors import (
    CloudError,
    Conflict,
    FieldProblem,
    IncorrectState,
    InvalidRequest,
    NotFound,
    StillWorking,
)
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import Zonal, region_of_zone, zonal
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER, problems_of
from shared.clouds.gcp.images import GcpImages
from shared.clouds.gcp.instances import insertion, machine_of, vanished, with_metadata
from shared.clouds.gcp.machine_types import machine_types
from shared.clouds.gcp.operations import Operations, Past
from shared.clouds.gcp.regions import GcpPlaces, zone_of
from shared.clouds.models import TOKEN_TAG, Machine, MachineSpec, MachineState

_PAGE_MAX = 500
_IN_MOTION = (MachineState.PENDING, MachineState.STOPPING)
_TAG_ATTEMPTS = 3


class GcpMachines(Machines):
    """Google forgets a deleted instance at once and never knew one whose creation failed. For 14 days the operations
    about it remain: from them `get` and `find_by_token` answer a TERMINATED machine, with the reason in `state_reason`
    and `failure` when it never came; its type, image and tags are not known any more.
    """

    def __init__(self, client: GcpClient, places: GcpPlaces, images: GcpImages) -> None:
        self._client = client
        self._places = places
        self._images = images
        self._operations = Operations(client)

    async def create(self, region: str, spec: MachineSpec) -> Machine:
        """The name is made of the token, so that no zone can hold two; the request id makes a repeat within an hour
        Google's first answer. In which zone a machine without one is made is decided by the token too.

        Waits shortly for the operation, whose error is the answer when it fails by then; one that fails later leaves a
        machine that is found TERMINATED. A creation that failed may be tried again with the same token.
        """
        tags = gcp_tags.marked(spec.tags, spec.token, operation="instances.insert")
        zones = await self._places.zones(region)
        if spec.zone not in {None, *zones}:
            raise _invalid("availability_zone", f"{spec.zone} is no zone of {region}")
        found = await self._living(region, zones, spec.token)
        pasts = [] if found is not None else await self._pasts(region, zones, spec.token)
        if found is None:
            found = next((self._ghost(region, each, spec) for each in pasts if each.deleted or each.coming), None)
        if found is None:
            zone = spec.zone or zone_of(spec.token, zones)
            found = await self._inserted(region, zone, spec, tags, attempt=sum(each.attempts for each in pasts))
        return _same(found, spec)

    async def find_by_token(self, region: str, token: str) -> Machine | None:
        gcp_tags.check_token(token, operation="find_by_token")
        zones = await self._places.zones(region)
        found = await self._living(region, zones, token)
        if found is not None:
            return found
        pasts = await self._pasts(region, zones, token)
        machines = [vanished(region, gcp_tags.name_of(token), each, {TOKEN_TAG: token}) for each in pasts]
        return machines[0] if machines else None

    async def get(self, region: str, machine_id: str) -> Machine:
        """One call; a second one, for its operations, when there is no such instance."""
        place = await self._place(region, machine_id, "instances.get")
        try:
            return machine_of(await self._read(region, place), region)
        except NotFound:
            past = await self._operations.past(region, *place)
            if past is None:
                raise
        return vanished(region, place.name, past, {})

    async def pages(self, region: str, *, page_size: int = 1000) -> AsyncIterator[list[Machine]]:
        """Zone by zone: a list over all zones hides the lost ones in a warning. Google pages by at most 500."""
        size = min(_PAGE_MAX, max(1, page_size))
        for zone in await self._places.zones(region):
            async for page in self._client.listed(
                "instances.list", region, "zones", zone, "instances", maxResults=size
            ):
                yield [machine_of(each, region) for each in page]

    async def start(self, region: str, machine_id: str) -> None:
        """Waits shortly for the operation: a zone without capacity says so only there."""
        operation = await self._change(region, machine_id, "start")
        await self._operations.settled(operation, region, name="instances.start")

    async def stop(self, region: str, machine_id: str) -> None:
        await self._change(region, machine_id, "stop")

    async def resize(self, region: str, machine_id: str, instance_type: str) -> None:
        machine = await self.get(region, machine_id)
        if machine.state is MachineState.TERMINATED:
            raise _wrong_state(machine, "instances.setMachineType")
        if machine.instance_type == instance_type:
            return
        if machine.state is not MachineState.STOPPED:
            raise _wrong_state(machine, "instances.setMachineType")
        zone, name = await self._place(region, machine_id, "instances.setMachineType")
        wanted = {"machine_type": f"zones/{zone}/machineTypes/{instance_type}"}
        operation = await self._client.call(
            "instances",
            "set_machine_type_unary",
            region,
            zone=zone,
            instance=name,
            instances_set_machine_type_request_resource=wanted,
        )
        await self._operations.settled(operation, region, name="instances.setMachineType")

    async def terminate(self, region: str, machine_id: str) -> None:
        try:
            zone, name = await self._place(region, machine_id, "instances.delete")
            await self._client.call("instances", "delete_unary", region, zone=zone, instance=name)
        except NotFound:
            return

    async def tag(self, region: str, machine_id: str, tags: Mapping[str, str]) -> None:
        """The exact tags first, then the labels made of them: a break between the two is mended by a repeat."""
        gcp_tags.check(tags, operation="instances.setMetadata")
        place = await self._place(region, machine_id, "instances.setMetadata")
        for attempt in range(1, _TAG_ATTEMPTS + 1):
            try:
                await self._set_tags(region, place, tags)
            except Conflict as error:  # somebody changed them since we read their fingerprint
                if error.code not in {"conditionNotMet", "CONDITION_NOT_MET"} or attempt == _TAG_ATTEMPTS:
                    raise
            else:
                return

    async def _set_tags(self, region: str, place: Zonal, tags: Mapping[str, str]) -> None:
        instance = await self._read(region, place)
        metadata, exact = with_metadata(instance, tags)
        gcp_tags.check(exact, operation="instances.setMetadata")
        labels = {**instance.get("labels", {}), **gcp_tags.to_labels(exact)}
        fixed = {"zone": place.zone, "instance": place.name}
        changed = {"labels": labels, "label_fingerprint": instance["labelFingerprint"]}
        for name, method, fields in (
            ("setMetadata", "set_metadata_unary", {"metadata_resource": metadata}),
            ("setLabels", "set_labels_unary", {"instances_set_labels_request_resource": changed}),
        ):
            operation = await self._client.call("instances", method, region, **fixed, **fields)
            await self._operations.settled(operation, region, name=f"instances.{name}")

    async def _inserted(
        self, region: str, zone: str, spec: MachineSpec, tags: Mapping[str, str], *, attempt: int
    ) -> Machine:
        known = machine_types().get(spec.instance_type)
        architecture = "x86_64" if known is None else known.architecture
        image = spec.image or (await self._images.newest_default(region, architecture=architecture)).id
        device = await self._images.root_device(region, image)
        body = insertion(spec, zone, image, tags, root_device=device)
        # A failed creation is Google's answer to its request id for an hour: another try needs another one.
        request_id = self._client.request_id(spec.token, region, str(attempt))
        try:
            operation = await self._client.call(
                "instances", "insert_unary", region, zone=zone, instance_resource=body, request_id=request_id
            )
            await self._operations.settled(operation, region, name="instances.insert")
        except NotFound as error:
            raise InvalidRequest(
                error.code,
                error.message,
                provider=PROVIDER,
                operation=error.operation,
                problems=problems_of(error.message),
            ) from None
        except Conflict as error:
            if error.code not in {"alreadyExists", "RESOURCE_ALREADY_EXISTS"}:
                raise
        made = await self.get(region, f"zones/{zone}/instances/{body['name']}")
        if made.instance_type:
            return made
        return replace(made, instance_type=spec.instance_type, image=image, tags=tags)

    async def _living(self, region: str, zones: tuple[str, ...], token: str) -> Machine | None:
        wanted = gcp_tags.token_filter(token)
        found = await asyncio.gather(
            *(self._client.first("instances.list", region, "zones", zone, "instances", filter=wanted) for zone in zones)
        )
        return next((machine_of(each, region) for each in found if each is not None), None)

    async def _pasts(self, region: str, zones: tuple[str, ...], token: str) -> list[Past]:
        """What was made with the token in any zone, the one that came to be first."""
        name = gcp_tags.name_of(token)
        found = await asyncio.gather(*(self._operations.past(region, zone, name) for zone in zones))
        return sorted((each for each in found if each is not None), key=lambda each: not (each.deleted or each.coming))

    @staticmethod
    def _ghost(region: str, past: Past, spec: MachineSpec) -> Machine:
        machine = vanished(region, gcp_tags.name_of(spec.token), past, {**spec.tags, TOKEN_TAG: spec.token})
        return replace(machine, instance_type=spec.instance_type, image=spec.image or "")

    async def _read(self, region: str, place: Zonal) -> Any:
        return await self._client.read("instances.get", region, "zones", place.zone, "instances", place.name)

    async def _place(self, region: str, machine_id: str, operation: str) -> Zonal:
        """Where a machine is; the region is asked before an id of elsewhere is called unknown in it."""
        place = zonal(machine_id, "instances")
        if place is None or region_of_zone(place.zone) != region:
            await self._places.zones(region)
            raise NotFound(
                "notFound", f"There is no instance {machine_id} in {region}", provider=PROVIDER, operation=operation
            )
        return place

    async def _change(self, region: str, machine_id: str, change: str) -> Any:
        """Google says "not ready" for "not yet", and "not found" for "never again": the state tells."""
        zone, name = await self._place(region, machine_id, f"instances.{change}")
        try:
            return await self._client.call("instances", f"{change}_unary", region, zone=zone, instance=name)
        except (IncorrectState, NotFound) as error:
            machine = await self.get(region, machine_id)
            if machine.state is MachineState.TERMINATED:
                raise _wrong_state(machine, f"instances.{change}") from None
            if machine.state not in _IN_MOTION:
                raise
            raise StillWorking(
                error.code, f"{machine_id} is {machine.state}", provider=PROVIDER, operation=error.operation
            ) from None


def _same(machine: Machine, spec: MachineSpec) -> Machine:
    """The machine, when it is what was asked for; `Conflict` when the token was used for another."""
    image = {None, machine.image} if machine.image else {None, spec.image}
    is_same = machine.instance_type == spec.instance_type and machine.capacity_type in {None, spec.capacity_type}
    if is_same and spec.image in image and spec.zone in {None, machine.zone}:
        return machine
    raise Conflict(
        "token_used", f"The token made {machine.id}, which is another machine", provider=PROVIDER,
        operation="instances.insert",
    )  # fmt: skip


def _wrong_state(machine: Machine, operation: str) -> CloudError:
    return IncorrectState(
        "resourceNotReady", f"{machine.id} is {machine.state}", provider=PROVIDER, operation=operation
    )


def _invalid(field: str, detail: str) -> InvalidRequest:
    problems = (FieldProblem(field, detail),)
    return InvalidRequest("invalid", detail, provider=PROVIDER, operation="instances.insert", problems=problems)
