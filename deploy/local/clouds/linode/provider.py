"""What is served as Linode, to whom?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.local.clouds.estate import Planned
from deploy.local.clouds.linode import (
    billing,
    buckets,
    databases,
    domains,
    estate,
    firewalls,
    images,
    instances,
    nodebalancers,
    offers,
    statistics,
    volumes,
    vpcs,
)
from deploy.local.clouds.linode.answers import filters_of, list_of, refused
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.provider import Action, Answer, Call, HttpRequest, Provider, Refusal
from deploy.local.clouds.world.things import Thing, Things
from shared.clouds.libcloud.tags import from_words
from shared.clouds.linode.labels import token_of
from shared.clouds.models import TOKEN_TAG

_FIRST = "E1AF5EEC-526F-487D-B317EBEB34C87D71"
_SECOND = "A7C3D1B0-0C4E-4F1D-9E55A1F2B8D6C412"
INSTANCE_LIMITS = {_FIRST: 20_000}
INSTANCE_LIMIT = 10
"""What Linode gives a new account; the first one asked for more."""
_INSTANCES, _VOLUMES = "/v4/linode/instances", "/v4/volumes"
_REGIONAL = {
    _INSTANCES: MACHINE, _VOLUMES: VOLUME, "/v4/vpcs": vpcs.VPC, "/v4/nodebalancers": nodebalancers.NODEBALANCER,
}  # fmt: skip
"""Paths of what is in a region, and the kinds of things there."""


class Linode(Provider):
    name = "linode"
    stopped_state = "offline"

    def plant(self, gardener: Gardener, planned: Planned) -> Thing:
        return estate.plant(gardener, planned)

    def name_of(self, machine: Thing) -> str:
        return str(machine.facts["label"])

    def new_accounts(self) -> list[Account]:
        def account(identifier: str, token: str, note: str, **more: Any) -> Account:
            return Account(self.name, identifier, {"token": token}, note, **more)

        return [
            account(_FIRST, "test-key", "the demonstration's"),
            account(_SECOND, "test-key-second", "a second account, without a provider; 10 Linodes at most"),
            account(_FIRST, "test-key-reader", "may only read", scope="read"),
            account(_FIRST, "test-key-expired", "expired", expires_s=1.0),
        ]

    def actions(self) -> Sequence[Action]:
        machine = "/v4/linode/instances/{id}"
        return [
            Action("GET", "/v4/profile", "profile.get", _profile),
            Action("GET", "/v4/account", "account.get", _account),
            Action("GET", "/v4/regions", "regions.list", _regions),
            Action("GET", "/v4/linode/types", "types.list", lambda call: list_of(call, offers.types())),
            Action("GET", "/v4/images", "images.list", images.listed),
            Action("POST", "/v4/images", "images.create", images.create),
            Action("POST", "/v4/images/{id:path}/regions", "images.replicate", images.replicate),
            Action("GET", "/v4/images/{id:path}", "images.get", images.read),
            Action("DELETE", "/v4/images/{id:path}", "images.delete", images.delete),
            Action("POST", "/v4/linode/instances", "instances.create", _create),
            Action("GET", "/v4/linode/instances", "instances.list", instances.listed),
            Action("GET", machine, "instances.get", instances.read),
            Action("PUT", machine, "instances.update", instances.update),
            Action("DELETE", machine, "instances.delete", instances.delete),
            Action("POST", f"{machine}/boot", "instances.boot", instances.boot),
            Action("POST", f"{machine}/shutdown", "instances.shutdown", instances.shutdown),
            Action("POST", f"{machine}/reboot", "instances.reboot", instances.reboot),
            Action("POST", f"{machine}/resize", "instances.resize", instances.resize),
            Action("GET", f"{machine}/stats", "instances.stats", statistics.stats),
            Action("GET", f"{machine}/disks", "disks.list", images.disks),
            Action("POST", f"{machine}/disks", "disks.create", images.add_disk),
            Action("GET", f"{machine}/firewalls", "instances.firewalls", firewalls.of_instance),
            Action("GET", f"{machine}/volumes", "instances.volumes", volumes.of_instance),
            *_volume_actions(),
            *_firewall_actions(),
            *vpcs.actions(),
            *nodebalancers.actions(),
            *domains.actions(),
            *databases.actions(),
            *buckets.actions(),
            *billing.actions(),
        ]

    def public_actions(self) -> Sequence[Action]:
        return buckets.public_actions()

    def authenticate(self, request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = next((each for each in accounts if each.credentials["token"] == token), None)
        if scheme != "Bearer" or found is None:
            raise Refusal("unauthenticated")
        if found.is_expired(now_s):
            raise Refusal("expired")
        return found

    def region_of(self, request: HttpRequest, path: Mapping[str, str], things: Things, account: Account) -> str:
        """The region of the thing that is made or meant, or that a list is filtered by."""
        for prefix, kind in _REGIONAL.items():
            if request.path.startswith(f"{prefix}/") and "id" in path:
                meant = things.get(self.name, account.account_id, kind, path["id"])
                return "global" if meant is None else meant.region
            if request.path == prefix:
                wanted = request.document() if request.method == "POST" else filters_of(request)
                return str(wanted.get("region", "global"))
        if request.path.startswith("/v4/databases/"):
            return self._region_of_database(request, path, things, account)
        if request.path.startswith("/v4/object-storage/buckets"):
            return path.get("region") or str(request.document().get("region", "global"))
        if request.path == "/v4/images" and request.method == "POST":
            number = str(request.document().get("disk_id"))[:-1]
            linode = things.get(self.name, account.account_id, MACHINE, number)
            return "global" if linode is None else linode.region
        return "global"

    def _region_of_database(
        self, request: HttpRequest, path: Mapping[str, str], things: Things, account: Account
    ) -> str:
        if "id" in path:
            meant = things.get(self.name, account.account_id, databases.DATABASE, databases.identifier_of(path))
            return "global" if meant is None else meant.region
        wanted = request.document() if request.method == "POST" else filters_of(request)
        return str(wanted.get("region", "global"))

    def refuse(self, refusal: Refusal) -> Answer:
        return refused(refusal)

    def describe(self, thing: Thing) -> dict[str, Any]:
        words = thing.facts["description"].split() if thing.kind == vpcs.VPC else thing.facts.get("tags", [])
        pairs = from_words(words)
        if thing.kind in {databases.DATABASE, buckets.BUCKET} and (token := token_of(thing.facts["label"])):
            pairs[TOKEN_TAG] = token
        return {**super().describe(thing), "tags": pairs, "token": pairs.get(TOKEN_TAG)}


def _create(call: Call) -> Answer:
    return instances.create(call, INSTANCE_LIMITS.get(call.account.account_id, INSTANCE_LIMIT))


def _profile(_: Call) -> Answer:
    profile = {
        "username": "operations", "email": "operations@canopy.test", "timezone": "GMT", "email_notifications": True,
        "referrals": {}, "ip_whitelist_enabled": False, "lish_auth_method": "keys_only", "authorized_keys": None,
        "two_factor_auth": True, "restricted": False, "authentication_type": "password", "uid": 1234567,
    }  # fmt: skip
    return Answer(200, profile)


def _account(call: Call) -> Answer:
    account = {
        "euuid": call.account.account_id, "company": "Canopy", "email": "operations@canopy.test", "first_name": "",
        "last_name": "", "address_1": "", "address_2": "", "city": "", "state": "", "zip": "", "country": "US",
        "phone": "", "tax_id": "", "balance": 0.0,
        "balance_uninvoiced": float(billing.uninvoiced_usd(call)), "active_promotions": [],
        "active_since": "2024-01-01T00:00:00", "capabilities": ["Linodes", "Cloud Firewall"],
        "billing_source": "linode", "credit_card": {"last_four": None, "expiry": None},
    }  # fmt: skip
    return Answer(200, account)


def _regions(call: Call) -> Answer:
    return list_of(call, [offers.region(code, available=not call.is_lost(code)) for code in offers.REGIONS])


def _volume_actions() -> list[Action]:
    volume = f"{_VOLUMES}/{{id}}"
    return [
        Action("POST", _VOLUMES, "volumes.create", volumes.create),
        Action("GET", _VOLUMES, "volumes.list", volumes.listed),
        Action("GET", volume, "volumes.get", volumes.read),
        Action("PUT", volume, "volumes.update", volumes.update),
        Action("DELETE", volume, "volumes.delete", volumes.delete),
        Action("POST", f"{volume}/resize", "volumes.resize", volumes.resize),
        Action("POST", f"{volume}/attach", "volumes.attach", volumes.attach),
        Action("POST", f"{volume}/detach", "volumes.detach", volumes.detach),
    ]


def _firewall_actions() -> list[Action]:
    base = "/v4/networking/firewalls"
    return [
        Action("POST", base, "firewalls.create", firewalls.create),
        Action("GET", base, "firewalls.list", firewalls.listed),
        Action("GET", f"{base}/{{id}}", "firewalls.get", firewalls.read),
        Action("DELETE", f"{base}/{{id}}", "firewalls.delete", firewalls.delete),
    ]
