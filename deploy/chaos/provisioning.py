"""Which long work is begun while provisioners die? The life of machines, assets, placements, fleets and groups."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from deploy.chaos.client import PROVIDERS, RESOURCES, Client
from deploy.chaos.clouds import CLOUDS
from deploy.chaos.feeds import Begin
from deploy.chaos.fleets import BULK, Fleet, draw_policy
from deploy.chaos.kinds import ASSETS, AssetKind, asset_kind
from deploy.chaos.operations import Operations
from deploy.chaos.orders import COMPUTE, UNKNOWN_SIZE, Order, Pair, asset_order, machine_order, pairs_of

WORK = {"change": 10, "machine": 2, "asset": 5, "placement": 2, "fleet": 1}
"""How often each is begun, in proportion. A change ends nearly as many things as are made."""
CHANGES = {
    "running": ("stop", "scale", "out", "terminate", "terminate"),
    "stopped": ("start", "scale", "terminate"),
    "error": ("terminate",),
}
ASSET_CHANGES = ("change", "terminate")
ALIVE_MAX = 2
"""Of one kind of asset at one cloud: accounts have limits, five networks at AWS among them."""
FLEET_MACHINES, FLEET_ASSETS = 2, 2

Resource = dict[str, Any]


class Provisioning:
    """New things at all clouds, and those that are there changed and removed; what comes next is drawn from `source`.

    `clouds` is where; `fleets` are those that were ordered, to be judged when they have ended.
    """

    def __init__(self, client: Client, source: random.Random, operations: Operations, clouds: Sequence[str]) -> None:
        self._client = client
        self._source = source
        self._operations = operations
        self._clouds = clouds
        self._providers = {each["provider_name"]: each["id"] for each in client.items(PROVIDERS)}
        self._pairs: list[Pair] = pairs_of(client, clouds)
        self._at_rest: list[Resource] = []
        self._grown: list[tuple[str, int]] = []
        self._alive: Counter[tuple[str, str]] = Counter()
        self._at_work: dict[str, list[str]] = {}
        self._growing: dict[str, tuple[str, int]] = {}
        self.fleets: list[Fleet] = []
        for resource in client.items(RESOURCES):
            self._know(resource)

    def __call__(self) -> Begin:
        self._look()
        work = self._source.choices(list(WORK), list(WORK.values()))[0]
        if work == "change" and (self._at_rest or self._grown):
            return self._change_something()
        if work == "fleet":
            return self._fleet()
        order = self._asset_order() if work == "asset" else None
        if work == "placement" and self._pairs:
            order = self._source.choice(self._pairs).order(self._name())
        return self._begin("POST", RESOURCES, order or self._machine_order())

    def _name(self) -> str:
        return f"chaos-{self._source.getrandbits(40):010x}"

    def _machine_order(self) -> Order:
        cloud = self._source.choice(self._clouds)
        return machine_order(cloud, self._providers[cloud], self._name())

    def _asset_order(self) -> Order | None:
        """One of a kind of which there are not too many; None when the drawn cloud has enough of all."""
        cloud = self._source.choice(self._clouds)
        kinds = [each for each in ASSETS[cloud] if self._alive[cloud, _key(each)] < ALIVE_MAX]
        if not kinds:
            return None
        kind = self._source.choice(kinds)
        self._alive[cloud, _key(kind)] += 1
        return asset_order(cloud, self._providers[cloud], self._name(), kind)

    def _fleet(self) -> Begin:
        """Machines, assets and a machine whose place is left open; sometimes with an item that cannot be had."""
        policy, planted = draw_policy(self._source)
        items = [self._machine_order() for _ in range(FLEET_MACHINES)]
        items += [order for _ in range(FLEET_ASSETS) if (order := self._asset_order())]
        if self._pairs:
            items.append(self._source.choice(self._pairs).order(self._name()))
        if planted:
            items.append(machine_order("aws", self._providers["aws"], self._name(), UNKNOWN_SIZE))
        self._source.shuffle(items)

        def begin() -> list[str]:
            accepted = self._client.call("POST", BULK, {"items": items, "policy": policy})
            operation, parts = str(accepted["operation"]["id"]), accepted["items"]
            self.fleets.append(Fleet(operation, policy, len(items), planted))
            self._operations.may_fail |= {operation, *(str(each["operation"]) for each in parts if planted)}
            self._at_work[operation] = [each["resource"] for each in parts]
            return [operation, *(str(each["operation"]) for each in parts)]

        return begin

    def _change_something(self) -> Begin:
        chosen = self._source.randrange(len(self._at_rest) + len(self._grown))
        if chosen >= len(self._at_rest):
            return self._scale(*self._grown.pop(chosen - len(self._at_rest)), "scale_in")
        resource = self._at_rest.pop(chosen)
        if resource["resource_type"] == COMPUTE or resource["resource_status"] == "error":
            return self._change_machine(resource)
        return self._change_asset(resource)

    def _change_machine(self, resource: Resource) -> Begin:
        """One of the changes that its state allows; what has been enlarged stays so."""
        address, known = f"{RESOURCES}/{resource['id']}", CLOUDS[resource["provider_name"]]
        change = self._source.choice(CHANGES[resource["resource_status"]])
        if change == "scale" and resource["configuration"]["instance_type"] == known.size:
            body = {"action": "configuration_change", "instance_type": known.larger}
            return self._begin("POST", f"{address}/scale", body)
        if change == "out" and resource["group_id"] is None:
            return self._scale(resource["id"], self._source.randint(1, 2), "scale_out")
        if change in {"stop", "start"}:
            return self._begin("POST", f"{address}/{change}")
        return self._begin("DELETE", address)

    def _change_asset(self, resource: Resource) -> Begin:
        """A PUT, once; what is as it is wanted already is removed."""
        address, name = f"{RESOURCES}/{resource['id']}", resource["resource_name"]
        kind = asset_kind(resource["provider_name"], resource["resource_subtype"], resource["resource_type"])
        change = {} if kind is None else kind.changed(name)
        is_wanted = all(resource["configuration"].get(field) == value for field, value in change.items())
        if not is_wanted and self._source.choice(ASSET_CHANGES) == "change":
            return self._begin("PUT", address, {"configuration": change})
        return self._begin("DELETE", address)

    def _scale(self, original: str, count: int, action: str) -> Begin:
        """Copies come or go; while there are some, their original is not touched otherwise."""

        def begin() -> list[str]:
            accepted = self._client.call("POST", f"{RESOURCES}/{original}/scale", {"action": action, "count": count})
            operation = str(accepted["operation"]["id"])
            if action == "scale_out":
                self._growing[operation] = original, count
            else:
                self._at_work[operation] = [original]
            return [operation, *(str(each["operation"]) for each in accepted["members"])]

        return begin

    def _begin(self, method: str, path: str, body: Order | None = None) -> Begin:
        def begin() -> list[str]:
            accepted = self._client.call(method, path, body)
            operation = accepted["operation"]
            if operation is None:  # nothing is to be changed
                self._know(accepted["resource"], is_counted=True)
                return []
            self._at_work[str(operation["id"])] = [accepted["resource"]["id"]]
            return [str(operation["id"])]

        return begin

    def _look(self) -> None:
        """What has come to its end may be changed again."""
        ended = self._operations.ended
        for operation in [each for each in self._growing if each in ended]:
            self._grown.append(self._growing.pop(operation))
        for operation in [each for each in self._at_work if each in ended]:
            for resource in self._at_work.pop(operation):
                self._know(self._client.call("GET", f"{RESOURCES}/{resource}"), is_counted=True)

    def _know(self, resource: Resource, *, is_counted: bool = False) -> None:
        """Something at rest; an asset that is gone makes room for another."""
        kind = asset_kind(resource["provider_name"], resource["resource_subtype"], resource["resource_type"])
        status = resource["resource_status"]
        if kind is not None:
            lives = status != "terminated"
            self._alive[resource["provider_name"], _key(kind)] += lives - is_counted
        if status in CHANGES or (kind is not None and status == "available"):
            self._at_rest.append(resource)


def _key(kind: AssetKind) -> str:
    return f"{kind.resource_type}/{kind.subtype}"
