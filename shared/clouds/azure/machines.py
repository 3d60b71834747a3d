"""How are virtual machines made, read and changed?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from azure.core import MatchConditions

from shared.clouds.azure import facts, names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER, problems_of
from shared.clouds.azure.orders import AzureOrders
from shared.clouds.azure.receipts import AzureReceipts, Receipt, fingerprint_of
from shared.clouds.azure.sizes import AzureSizes
from shared.clouds.capabilities import Machines
from shared.clouds.errors import (
    CloudError,
    Conflict,
    IncorrectState,
    InvalidRequest,
    NoCapacity,
    NotFound,
    StillWorking,
)
from shared.clouds.models import Machine, MachineSpec, MachineState

_GONE = (MachineState.SHUTTING_DOWN, MachineState.TERMINATED)


class AzureMachines(Machines):
    """A machine's interface, public address and disk are made by its own PUT and marked to go with it."""

    def __init__(self, client: AzureClient, sizes: AzureSizes, receipts: AzureReceipts, orders: AzureOrders) -> None:
        self._client = client
        self._sizes = sizes
        self._receipts = receipts
        self._orders = orders

    async def create(self, region: str, spec: MachineSpec) -> Machine:
        """The name made of the token, and `If-None-Match: *`, let only one create of a token make a machine; the
        receipt (receipts.py) keeps that true when the machine is gone.
        """
        azure_tags.marked(spec.tags, spec.token, operation="virtual_machines.create_or_update")
        name = names.name_of(spec.token)
        receipt = await self._receipts.find(region, name)
        if receipt is not None:
            known = await self._of_receipt(region, spec, receipt)
            if known is not None:
                return known
        order = await self._orders.prepare(region, spec, receipt)
        try:
            vm = await self._client.call(
                "compute", "virtual_machines.begin_create_or_update", names.group_of(region), name, order.body,
                match_condition=MatchConditions.IfMissing, region=region,
            )  # fmt: skip
        except Conflict:
            known = await self._living(region, name)
            if known is None or not _made_for(known, spec):
                raise
            return known
        except CloudError as error:
            if isinstance(error, NoCapacity) or not error.retryable:
                await self._orders.undo(region, order)
            if isinstance(error, NotFound):
                raise _as_invalid(error) from None
            raise
        await self._receipts.mark_made(region, order.receipt, vm["properties"]["timeCreated"])
        return facts.machine_of(vm, {})

    async def find_by_token(self, region: str, token: str) -> Machine | None:
        name = names.name_of(token)
        known = await self._living(region, name)
        if known is not None:
            return known
        receipt = await self._receipts.find(region, name)
        if receipt is None or receipt.made_at is None:
            return None
        return facts.terminated(region, self._id(region, name), receipt)

    async def get(self, region: str, machine_id: str) -> Machine:
        """A machine that is gone is known as long as its receipt is there; others are not found."""
        place = names.place_of(machine_id, names.MACHINE)
        try:
            return await self._read(region, place, machine_id)
        except NotFound:
            receipt = None
            if place.group == names.group_of(region):
                receipt = await self._receipts.find(region, place.name)
            if receipt is None or receipt.made_at is None:
                raise
            return facts.terminated(region, names.canonical(machine_id), receipt)

    async def pages(self, region: str, *, page_size: int = 1000) -> AsyncIterator[list[Machine]]:
        """Azure chooses the size of its pages; larger ones are cut. It lists no machine that is gone.

        States, interfaces and addresses come in lists of the whole subscription: four lists, however many machines.
        """
        statuses = {
            names.canonical(each["id"]).lower(): each["properties"].get("instanceView")
            async for each in self._all("compute", "virtual_machines.list_all", status_only="true")
        }
        addresses = {
            names.canonical(each["id"]).lower(): each["properties"].get("ipAddress", "")
            async for each in self._all("network", "public_ip_addresses.list_all")
        }
        networks = {
            names.canonical(each["id"]).lower(): facts.network_of(each, addresses)
            async for each in self._all("network", "network_interfaces.list_all")
        }
        async for page in self._client.pages("compute", "virtual_machines.list_by_location", region, region=region):
            found = []
            for vm in page:
                vm["properties"]["instanceView"] = statuses.get(names.canonical(vm["id"]).lower())
                network = next((networks.get(each.lower()) for each in facts.interface_ids(vm)), None)
                found.append(facts.machine_of(vm, network or {}))
            for start in range(0, len(found), page_size):
                yield found[start : start + page_size]

    async def start(self, region: str, machine_id: str) -> None:
        machine = await self.get(region, machine_id)
        operation = "virtual_machines.begin_start"
        if machine.state in _GONE:
            raise _incorrect(machine, operation)
        if machine.state is MachineState.STOPPING:
            raise _still(machine, operation)
        if machine.state is MachineState.STOPPED:
            await self._act(region, machine_id, operation)

    async def stop(self, region: str, machine_id: str) -> None:
        """Deallocated: one that is only powered off keeps its hardware and is billed as if it ran."""
        machine = await self.get(region, machine_id)
        operation = "virtual_machines.begin_deallocate"
        if machine.state in _GONE:
            raise _incorrect(machine, operation)
        if machine.state is MachineState.PENDING:
            raise _still(machine, operation)
        if machine.state is not MachineState.STOPPING:
            await self._act(region, machine_id, operation)

    async def resize(self, region: str, machine_id: str, instance_type: str) -> None:
        """Azure restarts a running machine to give it its size; ours must be stopped, as everywhere."""
        machine = await self.get(region, machine_id)
        operation = "virtual_machines.update"
        if machine.instance_type.lower() == instance_type.lower() and machine.state not in _GONE:
            return
        if machine.state is not MachineState.STOPPED:
            raise _incorrect(machine, operation)
        size = await self._sizes.need(region, instance_type, operation=operation, capacity_type=machine.capacity_type)
        place = names.place_of(machine_id, names.MACHINE)
        body = {"properties": {"hardwareProfile": {"vmSize": size.name}}}
        await self._client.call(
            "compute", "virtual_machines.begin_update", place.group, place.name, body, region=region
        )

    async def terminate(self, region: str, machine_id: str) -> None:
        """The receipt is marked before, so that the token stays used up. Of a machine that is not ours Azure keeps the
        disks, interfaces and addresses that are marked to be kept.
        """
        try:
            place = names.place_of(machine_id, names.MACHINE)
            vm = await self._raw(region, place, machine_id)
        except NotFound:
            return
        if vm["properties"].get("provisioningState") == "Deleting":
            return
        if place.group == names.group_of(region):
            receipt = await self._receipts.find(region, place.name)
            if receipt is not None:
                await self._receipts.mark_made(region, receipt, vm["properties"]["timeCreated"])
        try:
            await self._client.call("compute", "virtual_machines.begin_delete", place.group, place.name, region=region)
        except NotFound:
            return

    async def tag(self, region: str, machine_id: str, tags: Mapping[str, str]) -> None:
        """Merged by Resource Manager itself: a PATCH of the machine would replace all its tags."""
        wanted = azure_tags.to_azure(tags, operation="tags.update_at_scope")
        await self._raw(region, names.place_of(machine_id, names.MACHINE), machine_id)
        body = {"operation": "Merge", "properties": {"tags": wanted}}
        await self._client.call(
            "resources", "tags.begin_update_at_scope", machine_id.removeprefix("/"), body, region=region
        )

    async def _of_receipt(self, region: str, spec: MachineSpec, receipt: Receipt) -> Machine | None:
        """The machine that the token was used for; None when it was written down, and nothing more."""
        if receipt.fingerprint != fingerprint_of(spec):
            raise Conflict(
                "token_used", "The token was used with another spec", provider=PROVIDER,
                operation="virtual_machines.create_or_update",
            )  # fmt: skip
        known = await self._living(region, receipt.name)
        if known is not None or receipt.made_at is None:
            return known
        return facts.terminated(region, self._id(region, receipt.name), receipt)

    def _id(self, region: str, name: str) -> str:
        group = f"/subscriptions/{self._client.subscription_id}/resourceGroups/{names.group_of(region)}"
        return f"{group}/providers/{names.MACHINE}/{name}"

    async def _living(self, region: str, name: str) -> Machine | None:
        try:
            return await self._read(region, names.Place(names.group_of(region), name), self._id(region, name))
        except NotFound:
            return None

    async def _read(self, region: str, place: names.Place, machine_id: str) -> Machine:
        """Two calls: the machine with its state, and its first interface with the address."""
        vm = await self._raw(region, place, machine_id, expand="instanceView")
        interface = None
        for each in facts.interface_ids(vm)[:1]:
            where = names.place_of(each, names.INTERFACE)
            try:
                interface = await self._client.call(
                    "network", "network_interfaces.get", where.group, where.name,
                    expand="IPConfigurations/PublicIPAddress", region=region,
                )  # fmt: skip
            except NotFound:
                interface = None  # it goes just before its machine
        return facts.machine_of(vm, facts.network_of(interface, {}))

    async def _raw(self, region: str, place: names.Place, machine_id: str, **named: str) -> dict[str, Any]:
        vm: dict[str, Any] = await self._client.call(
            "compute", "virtual_machines.get", place.group, place.name, region=region, **named
        )
        if vm["location"] != region or not names.same(vm["id"], machine_id):
            raise NotFound(
                "ResourceNotFound", f"There is no machine {place.name} in {region}", provider=PROVIDER,
                operation="virtual_machines.get",
            )  # fmt: skip
        return vm

    async def _act(self, region: str, machine_id: str, operation: str) -> None:
        place = names.place_of(machine_id, names.MACHINE)
        await self._client.call("compute", operation, place.group, place.name, region=region)

    async def _all(self, service: str, operation: str, **named: str) -> AsyncIterator[dict[str, Any]]:
        async for page in self._client.pages(service, operation, **named):
            for each in page:
                yield each


def _as_invalid(error: NotFound) -> InvalidRequest:
    """What the body names and Azure does not find is wrong in the spec."""
    return InvalidRequest(
        error.code, error.message, provider=PROVIDER, operation=error.operation,
        problems=problems_of(error.code, "", error.message),
    )  # fmt: skip


def _made_for(machine: Machine, spec: MachineSpec) -> bool:
    is_same = (
        machine.instance_type.lower() == spec.instance_type.lower() and machine.capacity_type is spec.capacity_type
    )
    return is_same and spec.image in {None, machine.image}


def _incorrect(machine: Machine, operation: str) -> IncorrectState:
    return IncorrectState(
        "OperationNotAllowed", f"{machine.id} is {machine.state}", provider=PROVIDER,
        operation=operation.replace("begin_", ""),
    )  # fmt: skip


def _still(machine: Machine, operation: str) -> StillWorking:
    return StillWorking(
        "AnotherOperationInProgress", f"{machine.id} is {machine.state}", provider=PROVIDER,
        operation=operation.replace("begin_", ""),
    )  # fmt: skip
