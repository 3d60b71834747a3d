"""What is served as DigitalOcean, to whom?"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from deploy.local.clouds.digitalocean import (
    balancers,
    billing,
    cdn,
    databases,
    domains,
    droplets,
    estate,
    firewalls,
    images,
    monitoring,
    offers,
    signatures,
    spaces,
    tags,
    volumes,
    vpcs,
)
from deploy.local.clouds.digitalocean.answers import page_of, refused
from deploy.local.clouds.estate import Planned
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.provider import Action, Answer, Call, HttpRequest, Provider, Refusal
from deploy.local.clouds.world.things import Thing, Things
from shared.clouds.digitalocean.dns_models import MARK
from shared.clouds.digitalocean.notes import from_note
from shared.clouds.libcloud.tags import from_words
from shared.clouds.models import TOKEN_TAG

_TEAM = str(uuid.uuid5(uuid.NAMESPACE_DNS, "first.digitalocean.canopy.test"))
_SECOND_TEAM = str(uuid.uuid5(uuid.NAMESPACE_DNS, "second.digitalocean.canopy.test"))
DROPLET_LIMITS = {_TEAM: 20_000}
DROPLET_LIMIT = 10
"""What DigitalOcean gives a new team; the first one asked for more."""

_REGIONAL: Mapping[str, str] = {"droplets": MACHINE, "volumes": VOLUME, "vpcs": vpcs.VPC,
                                 "load_balancers": balancers.BALANCER, "databases": databases.DATABASE}  # fmt: skip
"""Which kind of thing is meant below `/v2/<collection>`, and has a region."""

_SPEAKS_S3: ContextVar[bool] = ContextVar("speaks_s3", default=False)
"""Whether the request that is being answered is one to Spaces: a refusal is XML then."""


class DigitalOcean(Provider):
    name = "digitalocean"
    stopped_state = "off"

    def plant(self, gardener: Gardener, planned: Planned) -> Thing:
        return estate.plant(gardener, planned)

    def name_of(self, machine: Thing) -> str:
        return str(machine.facts["name"])

    def new_accounts(self) -> list[Account]:
        def account(team: str, token: str, note: str, **more: Any) -> Account:
            return Account(self.name, team, {"token": token}, note, **more)

        return [
            account(_TEAM, "test-key", "the demonstration's"),
            account(_SECOND_TEAM, "test-key-second", "a second team, without a provider; 10 droplets at most"),
            account(_TEAM, "test-key-reader", "may only read", scope="read"),
            account(_TEAM, "test-key-expired", "expired", expires_s=1.0),
        ]

    def actions(self) -> Sequence[Action]:
        return [
            Action("GET", "/v2/account", "account.get", _account),
            Action("GET", "/v2/regions", "regions.list", _regions),
            Action("GET", "/v2/sizes", "sizes.list", lambda call: page_of(call, "sizes", offers.sizes())),
            Action("GET", "/v2/images", "images.list", images.listed),
            Action("GET", "/v2/images/{id}", "images.get", images.read),
            Action("DELETE", "/v2/images/{id}", "images.delete", images.delete),
            Action("POST", "/v2/images/{id}/actions", "images.act", images.act),
            Action("GET", "/v2/images/{id}/actions", "images.actions", images.actions_of),
            Action("POST", "/v2/droplets", "droplets.create", _create),
            Action("GET", "/v2/droplets", "droplets.list", droplets.listed),
            Action("GET", "/v2/droplets/{id}", "droplets.get", droplets.read),
            Action("DELETE", "/v2/droplets/{id}", "droplets.destroy", droplets.destroy),
            Action("POST", "/v2/droplets/{id}/actions", "droplets.act", droplets.act),
            Action("GET", "/v2/droplets/{id}/actions", "droplets.actions", droplets.actions_of),
            Action("GET", "/v2/actions", "actions.list", droplets.actions),
            Action("GET", "/v2/actions/{id}", "actions.get", droplets.action),
            Action("GET", "/v2/monitoring/metrics/droplet/{name}", "monitoring.metrics", monitoring.metrics),
            Action("POST", "/v2/tags", "tags.create", tags.create),
            Action("GET", "/v2/tags", "tags.list", tags.listed),
            Action("GET", "/v2/tags/{name}", "tags.get", tags.read),
            Action("DELETE", "/v2/tags/{name}", "tags.delete", tags.delete),
            Action("POST", "/v2/tags/{name}/resources", "tags.assign", tags.assign),
            Action("DELETE", "/v2/tags/{name}/resources", "tags.unassign", tags.unassign),
            *_volume_actions(),
            *_firewall_actions(),
            *vpcs.actions(),
            *balancers.actions(),
            *domains.actions(),
            *databases.actions(),
            *cdn.actions(),
            *billing.actions(),
            *spaces.actions(),
        ]

    def authenticate(self, request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
        """By the API's token or, for Spaces, by the signature of a key."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        _SPEAKS_S3.set(scheme == signatures.SCHEME)
        if scheme == signatures.SCHEME:
            return self._by_signature(request, accounts, now_s)
        found = next((each for each in accounts if each.credentials["token"] == token), None)
        if scheme != "Bearer" or found is None:
            raise Refusal("unauthenticated")
        if found.is_expired(now_s):
            raise Refusal("expired")
        return found

    def _by_signature(self, request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
        """The team that the key belongs to. Whether the key is there still its action looks up."""
        key = signatures.key_of(request)
        team = next((each for each in accounts if spaces.team_mark(each.account_id) == key[4:12]), None)
        if team is None or request.path.startswith("/v2/"):
            raise Refusal("unauthenticated", code="InvalidAccessKeyId")
        if not signatures.is_right(request, spaces.secret_of(team.account_id, key), now_s):
            raise Refusal("unauthenticated")
        return team

    def region_of(self, request: HttpRequest, path: Mapping[str, str], things: Things, account: Account) -> str:
        """The region of the thing that is made, meant or asked for; one address serves all regions."""
        if _SPEAKS_S3.get():
            return signatures.region_of(request)
        collection = next((each for each in _REGIONAL if request.path.startswith(f"/v2/{each}")), None)
        meant = path.get("id") if collection is not None else request.query.get("host_id")
        if meant:
            thing = things.get(self.name, account.account_id, _REGIONAL.get(collection or "", MACHINE), meant)
            return "global" if thing is None else thing.region
        if request.method == "POST" and collection is not None:
            return str(request.document().get("region"))
        return request.query.get("region", "global")

    def refuse(self, refusal: Refusal) -> Answer:
        return spaces.refused(refusal) if _SPEAKS_S3.get() else refused(refusal)

    def describe(self, thing: Thing) -> dict[str, Any]:
        facts = thing.facts
        pairs = from_words(facts.get("tags", [])) or from_note(facts.get("description") or facts.get("body", ""))
        if thing.kind == domains.DOMAIN:
            pairs = {key: value for key, _, value in (each.partition("=") for each in domains.texts_of(thing, MARK))}
        return {**super().describe(thing), "name": facts.get("name"), "tags": pairs, "token": pairs.get(TOKEN_TAG)}


def _limit(call: Call) -> int:
    return DROPLET_LIMITS.get(call.account.account_id, DROPLET_LIMIT)


def _create(call: Call) -> Answer:
    return droplets.create(call, _limit(call))


def _account(call: Call) -> Answer:
    team = call.account.account_id
    return Answer(
        200,
        {
            "account": {
                "droplet_limit": _limit(call), "floating_ip_limit": 3, "reserved_ip_limit": 3, "volume_limit": 100,
                "email": "operations@canopy.test", "name": "Operations", "email_verified": True, "status": "active",
                "status_message": "", "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, team)),
                "team": {"uuid": team, "name": "Canopy"},
            }
        },
    )  # fmt: skip


def _regions(call: Call) -> Answer:
    found = [offers.region(slug, available=not call.is_lost(slug)) for slug in offers.REGIONS]
    return page_of(call, "regions", found)


def _volume_actions() -> list[Action]:
    return [
        Action("POST", "/v2/volumes", "volumes.create", volumes.create),
        Action("GET", "/v2/volumes", "volumes.list", volumes.listed),
        Action("GET", "/v2/volumes/{id}", "volumes.get", volumes.read),
        Action("DELETE", "/v2/volumes/{id}", "volumes.delete", volumes.delete),
        Action("POST", "/v2/volumes/actions", "volumes.act", volumes.act_by_name),
        Action("POST", "/v2/volumes/{id}/actions", "volumes.act", volumes.act),
    ]


def _firewall_actions() -> list[Action]:
    return [
        Action("POST", "/v2/firewalls", "firewalls.create", firewalls.create),
        Action("GET", "/v2/firewalls", "firewalls.list", firewalls.listed),
        Action("GET", "/v2/firewalls/{id}", "firewalls.get", firewalls.read),
        Action("DELETE", "/v2/firewalls/{id}", "firewalls.delete", firewalls.delete),
        Action("GET", "/v2/droplets/{id}/firewalls", "droplets.firewalls", firewalls.of_droplet),
    ]
