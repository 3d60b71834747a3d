"""What of Azure is served, who may ask, and how does it say no?"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.local.clouds.azure import (
    balancers,
    cost_management,
    disks,
    dns,
    estate,
    front_doors,
    identity,
    machines,
    metrics,
    networks,
    operations,
    paths,
    roles,
    sql,
    storage,
    subscription,
    tags,
)
from deploy.local.clouds.estate import Planned
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.provider import Action, Answer, HttpRequest, Provider, Refusal
from deploy.local.clouds.world.things import Thing, Things

_REFUSALS: Mapping[str, tuple[int, str]] = {
    "unauthenticated": (401, "InvalidAuthenticationToken"),
    "expired": (401, "ExpiredAuthenticationToken"),
    "forbidden": (403, "AuthorizationFailed"),
    "not_found": (404, "ResourceNotFound"),
    "no_route": (404, "InvalidResourceType"),
    "invalid": (400, "InvalidParameter"),
    "conflict": (409, "Conflict"),
    "wrong_state": (409, "OperationNotAllowed"),
    "throttled": (429, "TooManyRequests"),
    "quota": (409, "OperationNotAllowed"),
    "no_capacity": (409, "SkuNotAvailable"),
    "internal": (500, "InternalServerError"),
    "unavailable": (503, "ServiceUnavailable"),
}
_WORDS = {
    "quota": "Operation could not be completed as it results in exceeding approved Total Regional Cores quota.",
    "no_capacity": "The requested VM size is currently not available in this location.",
}


class AzureProvider(Provider):
    name = "azure"
    stopped_state = "deallocated"

    def plant(self, gardener: Gardener, planned: Planned) -> Thing:
        return estate.plant(gardener, planned)

    def name_of(self, machine: Thing) -> str:
        return paths.name_of(machine.id)

    def new_accounts(self) -> list[Account]:
        return identity.new_accounts()

    def actions(self) -> Sequence[Action]:
        return [
            Action("POST", "/{tenant}/oauth2/v2.0/token", "token", identity.issue, mutates=False),
            *subscription.actions(),
            *operations.actions(),
            *tags.actions(),
            *networks.actions(),
            *disks.actions(),
            *machines.actions(),
            *balancers.actions(),
            *dns.actions(),
            *front_doors.actions(),
            *roles.actions(),
            *storage.actions(),
            *sql.actions(),
            *metrics.actions(),
            *cost_management.actions(),
        ]

    def authenticate(self, request: HttpRequest, accounts: Sequence[Account], now_s: float) -> Account:
        return identity.authenticate(request, accounts, now_s, self.trusted, self.issuers)

    def forbidden(self, action: Action, request: HttpRequest) -> Refusal:  # noqa: ARG002 - Azure's name is in the path
        kind = "/".join(request.path.partition("/providers/")[2].split("/")[:2])
        verb = {"PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(request.method)
        last = request.path.rpartition("/")[2]
        wanted = f"{kind}/{verb or f'{last}/action'}"
        message = f"The client does not have authorization to perform action '{wanted}' over scope '{request.path}'."
        return Refusal("forbidden", message)

    def region_of(self, request: HttpRequest, path: Mapping[str, str], things: Things, account: Account) -> str:
        return "global" if "tenant" in path else paths.region_of(request, things, account)

    def refuse(self, refusal: Refusal) -> Answer:
        if identity.is_entra(refusal.code):
            return identity.refuse(refusal)
        status, code = _REFUSALS[refusal.kind]
        status = refusal.status or status
        message = _WORDS.get(refusal.kind, refusal.message) if "fault" in refusal.message else refusal.message
        error: dict[str, Any] = {"code": refusal.code or code, "message": message}
        if refusal.field:
            error["target"] = refusal.field
        headers = {"x-ms-request-id": str(uuid.uuid4())}
        if status == 401:
            headers["WWW-Authenticate"] = (
                f'Bearer authorization_uri="https://login.windows.net/{identity.TENANT}", error="invalid_token"'
            )
        if refusal.retry_after_s is not None:
            headers["Retry-After"] = f"{refusal.retry_after_s:g}"
        return Answer(status, {"error": error}, headers)

    def describe(self, thing: Thing) -> dict[str, Any]:
        """A deleted machine whose name was used again is listed by that name too."""
        found = super().describe(thing)
        return {**found, "id": thing.id.partition("#")[0], "token": thing.token or found["tags"].get("canopy:token")}
