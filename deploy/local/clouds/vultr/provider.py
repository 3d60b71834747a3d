"""What is served as Vultr, to whom?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.local.clouds.estate import Planned
from deploy.local.clouds.vultr import (
    balancers,
    bandwidth,
    billing,
    blocks,
    cdn,
    databases,
    dns,
    estate,
    instances,
    networks,
    object_storage,
    offers,
    snapshots,
)
from deploy.local.clouds.vultr.answers import list_of, refused
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.controls import GROUP, MACHINE, SNAPSHOT, VOLUME
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.provider import Action, Answer, Call, HttpRequest, Provider, Refusal
from deploy.local.clouds.world.things import Thing, Things
from shared.clouds.libcloud.tags import from_words
from shared.clouds.models import TOKEN_TAG
from shared.clouds.vultr.labels import tags_of

_FIRST, _SECOND = "operations@canopy.test", "second@canopy.test"
INSTANCE_LIMITS = {_FIRST: 20_000}
INSTANCE_LIMIT = 10
"""What Vultr's first fee limit comes to; the first account asked for more."""
_KINDS = {
    "/v2/snapshots/": SNAPSHOT,
    "/v2/vpcs/": GROUP,
    "/v2/blocks/": VOLUME,
    "/v2/load-balancers/": balancers.BALANCER,
    "/v2/domains/": dns.DOMAIN,
    "/v2/databases/": databases.DATABASE,
    "/v2/object-storage/": object_storage.STORAGE,
    "/v2/cdns/pull-zones/": cdn.ZONE,
}
"""Of which kind are the things below a path; else they are instances."""


class Vultr(Provider):
    name = "vultr"
    stopped_state = "stopped"

    def plant(self, gardener: Gardener, planned: Planned) -> Thing:
        return estate.plant(gardener, planned)

    def name_of(self, machine: Thing) -> str:
        return str(machine.facts["label"])

    def new_accounts(self) -> list[Account]:
        def account(identifier: str, token: str, note: str, **more: Any) -> Account:
            return Account(self.name, identifier, {"token": token}, note, **more)

        return [
            account(_FIRST, "test-key", "the demonstration's"),
            account(_SECOND, "test-key-second", "a second account, without a provider; 10 instances at most"),
            account(_FIRST, "test-key-reader", "may only read", scope="read"),
            account(_FIRST, "test-key-expired", "expired", expires_s=1.0),
        ]

    def actions(self) -> Sequence[Action]:
        machine = "/v2/instances/{id}"
        return [
            Action("GET", "/v2/account", "account.get", _account),
            Action("GET", "/v2/regions", "regions.list", lambda call: list_of(call, "regions", offers.regions())),
            Action("GET", "/v2/regions/{region}/availability", "regions.availability", _availability),
            Action("GET", "/v2/plans", "plans.list", lambda call: list_of(call, "plans", offers.plans())),
            Action("GET", "/v2/plans-metal", "plans.metal", lambda call: list_of(call, "plans_metal", [])),
            Action("GET", "/v2/bare-metals", "bare_metals.list", lambda call: list_of(call, "bare_metals", [])),
            Action("GET", "/v2/os", "os.list", lambda call: list_of(call, "os", offers.systems())),
            Action("POST", "/v2/instances", "instances.create", _create),
            Action("GET", "/v2/instances", "instances.list", instances.listed),
            Action("POST", "/v2/instances/halt", "instances.halt", instances.halt),
            Action("GET", machine, "instances.get", instances.read),
            Action("PATCH", machine, "instances.update", instances.update),
            Action("DELETE", machine, "instances.delete", instances.delete),
            Action("POST", f"{machine}/start", "instances.start", instances.start),
            Action("GET", f"{machine}/bandwidth", "instances.bandwidth", bandwidth.bandwidth),
            Action("GET", f"{machine}/vpcs", "instances.vpcs", networks.of_instance),
            *_restoring_actions(),
            *_block_actions(),
            *balancers.actions(),
            *dns.actions(),
            *databases.actions(),
            *object_storage.actions(),
            *cdn.actions(),
            *billing.actions(),
        ]

    def authenticate(self, request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = next((each for each in accounts if each.credentials["token"] == token), None)
        if scheme != "Bearer" or found is None:
            raise Refusal("unauthenticated")
        if found.is_expired(now_s):
            raise Refusal("expired")
        return found

    def region_of(self, request: HttpRequest, path: Mapping[str, str], things: Things, account: Account) -> str:
        """The region that is asked for, that a list is filtered by, or of the instance that is made or meant."""
        kind = next((kind for prefix, kind in _KINDS.items() if request.path.startswith(prefix)), MACHINE)
        if "id" in path:
            meant = things.get(self.name, account.account_id, kind, path["id"])
            return "global" if meant is None or kind == SNAPSHOT else meant.region
        if request.method == "POST" and request.path == "/v2/snapshots":
            instance = things.get(self.name, account.account_id, MACHINE, str(request.document().get("instance_id")))
            return "global" if instance is None else instance.region
        if request.method == "POST" and "region" in request.document():
            return str(request.document()["region"])
        return path.get("region") or request.query.get("region", "global")

    def refuse(self, refusal: Refusal) -> Answer:
        return refused(refusal)

    def describe(self, thing: Thing) -> dict[str, Any]:
        """What has no tags has them in its label or description."""
        if thing.kind == dns.DOMAIN:
            pairs = dns.tags_of(thing)
            return {**super().describe(thing), "tags": pairs, "token": pairs.get(TOKEN_TAG)}
        text = thing.facts.get("description") or thing.facts.get("label")
        pairs = from_words(thing.facts["tags"]) if "tags" in thing.facts else tags_of(text)
        return {**super().describe(thing), "tags": pairs, "token": pairs.get(TOKEN_TAG)}


def _restoring_actions() -> list[Action]:
    return [
        Action("POST", "/v2/snapshots", "snapshots.create", snapshots.create),
        Action("GET", "/v2/snapshots", "snapshots.list", snapshots.listed),
        Action("GET", "/v2/snapshots/{id}", "snapshots.get", snapshots.read),
        Action("DELETE", "/v2/snapshots/{id}", "snapshots.delete", snapshots.delete),
        Action("POST", "/v2/vpcs", "vpcs.create", networks.create),
        Action("GET", "/v2/vpcs", "vpcs.list", networks.listed),
        Action("GET", "/v2/vpcs/{id}", "vpcs.get", networks.read),
        Action("PUT", "/v2/vpcs/{id}", "vpcs.update", networks.update),
        Action("DELETE", "/v2/vpcs/{id}", "vpcs.delete", networks.delete),
        Action("GET", "/v2/vpcs/{id}/nat-gateway", "vpcs.gateways", networks.gateways),
        Action("POST", "/v2/vpcs/{id}/nat-gateway", "vpcs.add_gateway", networks.add_gateway),
    ]


def _block_actions() -> list[Action]:
    return [
        Action("POST", "/v2/blocks", "blocks.create", blocks.create),
        Action("GET", "/v2/blocks", "blocks.list", blocks.listed),
        Action("GET", "/v2/blocks/{id}", "blocks.get", blocks.read),
        Action("PATCH", "/v2/blocks/{id}", "blocks.update", blocks.update),
        Action("DELETE", "/v2/blocks/{id}", "blocks.delete", blocks.delete),
        Action("POST", "/v2/blocks/{id}/attach", "blocks.attach", blocks.attach),
        Action("POST", "/v2/blocks/{id}/detach", "blocks.detach", blocks.detach),
    ]


def _create(call: Call) -> Answer:
    return instances.create(call, INSTANCE_LIMITS.get(call.account.account_id, INSTANCE_LIMIT))


def _account(call: Call) -> Answer:
    account = {
        "name": "Operations", "email": call.account.account_id, **billing.account_facts(call),
        "acls": ["subscriptions_view", "subscriptions", "provisioning", "billing"],
    }  # fmt: skip
    return Answer(200, {"account": account})


def _availability(call: Call) -> Answer:
    if not offers.is_region(call.path["region"]):
        raise Refusal("not_found")
    return Answer(200, {"available_plans": [each["id"] for each in offers.plans()]})
