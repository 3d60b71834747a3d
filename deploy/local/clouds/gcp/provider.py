"""How is Google Cloud served by the simulated world?"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.local.clouds.estate import Planned
from deploy.local.clouds.gcp import (
    balancers,
    bigquery,
    disks,
    dns,
    edges,
    errors,
    estate,
    firewalls,
    images,
    instances,
    labels,
    machine_groups,
    monitoring,
    networks,
    operations,
    places,
    snapshots,
    sql,
    storage,
    tokens,
)
from deploy.local.clouds.gcp.accounts import PROVIDER, new_accounts
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.provider import Action, Answer, Call, HttpRequest, Provider, Refusal
from deploy.local.clouds.world.things import Thing, Things

_DESCRIPTION_MARK = '{"canopy-tags":'


class GcpProvider(Provider):
    name = PROVIDER
    stopped_state = "TERMINATED"

    def plant(self, gardener: Gardener, planned: Planned) -> Thing:
        return estate.plant(gardener, planned)

    def name_of(self, machine: Thing) -> str:
        return str(machine.facts["name"])

    def new_accounts(self) -> list[Account]:
        return new_accounts()

    def actions(self) -> Sequence[Action]:
        return [
            Action("POST", tokens.TOKEN_PATH, "token", _issue, mutates=False),
            Action("POST", tokens.EXCHANGE_PATH, "token.exchange", _issue, mutates=False),
            Action("POST", tokens.IMPERSONATION_PATH + "{account}", "token.impersonate", _impersonate, mutates=False),
            *images.actions(),  # first: their public project looks like a tenant's
            *places.actions(),
            *operations.actions(),
            *instances.actions(),
            *disks.actions(),
            *snapshots.actions(),
            *networks.actions(),
            *firewalls.actions(),
            *balancers.actions(),
            *edges.actions(),
            *machine_groups.actions(),
            *storage.actions(),
            *sql.actions(),
            *dns.actions(),
            *monitoring.actions(),
            *bigquery.actions(),
        ]

    def authenticate(self, request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
        if request.path == tokens.TOKEN_PATH:
            return tokens.account_of_assertion(request, accounts, now_s)
        if request.path == tokens.EXCHANGE_PATH:
            return tokens.account_of_exchange(request, accounts, self.trusted, self.issuers)
        account = tokens.account_of_token(request, accounts, now_s)
        if request.path.startswith(tokens.IMPERSONATION_PATH):
            return tokens.impersonated(request, account, accounts, self.trusted)
        project = request.query.get("project", account.account_id)
        if storage.PREFIX not in request.path:  # a bucket's path does not name its project
            project = _project(request.path)
        public = project == images.PUBLIC_PROJECT and request.method == "GET"
        if project != account.account_id and not public:
            raise Refusal("forbidden", f"Permission denied on resource project {project}.")
        return account

    def region_of(self, request: HttpRequest, path: Mapping[str, str], things: Things, account: Account) -> str:
        if "zone" in path:
            return places.region_of_zone(path["zone"])
        if request.path.startswith(sql.PREFIX):
            return sql.region_of(request, path, things, account)
        return path.get("region", "global")

    def forbidden(self, action: Action, request: HttpRequest) -> Refusal:
        service, _, verb = action.name.rpartition(".")
        wanted = f"{service}.{'create' if verb == 'insert' else verb}"
        wanted = wanted if wanted.count(".") > 1 else f"compute.{wanted}"
        return Refusal("forbidden", f"Required '{wanted}' permission for '{request.path.partition('/v1/')[2]}'")

    def refuse(self, refusal: Refusal) -> Answer:
        return errors.refuse(refusal)

    def describe(self, thing: Thing) -> dict[str, Any]:
        known = labels.exact(labels.of(thing.facts))
        found = instances.tags_of(thing.facts) if thing.kind == MACHINE else known or _tags_of_description(thing.facts)
        return {
            **super().describe(thing),
            "id": thing.id.partition("#")[0] if thing.kind != "snapshot" else thing.facts["name"],
            "token": found.get("canopy:token"),
            "tags": found,
        }


def _impersonate(call: Call) -> Answer:
    return tokens.issue_impersonated(call, time.time())


def _issue(call: Call) -> Answer:
    return tokens.issue(call, time.time())


def _project(path: str) -> str:
    return path.partition("/projects/")[2].partition("/")[0]


def _tags_of_description(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The exact tags that a client left in a description; else the labels."""
    text = str(facts.get("description", ""))
    if text.startswith(_DESCRIPTION_MARK):
        found: dict[str, Any] = json.loads(text)["canopy-tags"]
        return found
    return dict(facts.get("labels", {}))
