"""How may Front Door read blobs that nobody else may? By its own identity, and a role of that on the account.

Source: "Use managed identities to authenticate to origins" (learn.microsoft.com/azure/frontdoor). The role's id is that
of "Azure built-in roles", the same in every tenant.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from shared.clouds.assets import AssetState
from shared.clouds.azure import names
from shared.clouds.azure.assets import state_of
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.errors import Conflict, FieldProblem, InvalidRequest, NotFound, StillWorking

_VERSION = "2022-04-01"
_BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
_ASSIGNMENTS = UUID("4f3c8b9e-0c6d-4c57-9d0a-2f9f5c1c7e55")
"""The namespace of the names of role assignments, which are made of the profile's id: a repeat addresses the same."""
_EXISTS = "RoleAssignmentExists"


class AzureOriginAccess:
    def __init__(self, client: AzureClient) -> None:
        self._client = client

    async def host_of(self, account_id: str) -> str:
        """The host of an account's blobs. `InvalidRequest` for one that is not there, or lets only its subnets in;
        `StillWorking` while it is being made.
        """
        place = names.place_of(account_id, names.STORAGE_ACCOUNT)
        try:
            account: dict[str, Any] = await self._client.call(
                "storage", "storage_accounts.get_properties", place.group, place.name
            )
        except NotFound as error:
            raise _wrong(error.code, f"{place.name} is not there") from None
        properties = account["properties"]
        if state_of(properties, AssetState.AVAILABLE) is AssetState.CREATING:
            raise _not_yet(f"{place.name} is not ready yet")
        if (properties.get("networkAcls") or {}).get("defaultAction") == "Deny":
            raise _wrong("StorageAccountWalledIn", f"{place.name} lets only its own networks in, and no Front Door")
        endpoint = str((properties.get("primaryEndpoints") or {}).get("blob") or "")
        if not endpoint:
            raise _wrong("StorageAccountHasNoBlobs", f"{place.name} has no blobs")
        return endpoint.removeprefix("https://").rstrip("/")

    async def let_read(self, account_id: str, profile_id: str, principal_id: str | None) -> None:
        """Idempotent. `StillWorking` while the new identity is not there, or not known everywhere."""
        if not principal_id:
            raise _not_yet(f"{profile_id.rpartition('/')[2]} has no identity yet")
        role = f"/subscriptions/{self._client.subscription_id}/providers/Microsoft.Authorization/roleDefinitions"
        body = {
            "properties": {
                "roleDefinitionId": f"{role}/{_BLOB_READER}",
                "principalId": principal_id,
                "principalType": "ServicePrincipal",
            }
        }
        try:
            await self._client.rest(
                "cdn", "role_assignments.create", "PUT", assignment_id(account_id, profile_id), _VERSION, body
            )
        except Conflict as error:  # somebody gave it the role by hand
            if error.code != _EXISTS:
                raise

    async def forget(self, account_id: str, profile_id: str) -> None:
        """Idempotent, also when the account is gone."""
        try:
            await self._client.rest(
                "cdn", "role_assignments.delete", "DELETE", assignment_id(account_id, profile_id), _VERSION
            )
        except NotFound:
            return


def assignment_id(account_id: str, profile_id: str) -> str:
    """Of the role that a profile has on an account."""
    name = uuid5(_ASSIGNMENTS, f"{profile_id}/{account_id}".lower())
    return f"{account_id}/providers/Microsoft.Authorization/roleAssignments/{name}"


def _not_yet(detail: str) -> StillWorking:
    return StillWorking("provisioning", detail, provider=PROVIDER, operation="profiles.create")


def _wrong(code: str, detail: str) -> InvalidRequest:
    problem = FieldProblem("storage_account_id", detail)
    return InvalidRequest(code, detail, provider=PROVIDER, operation="profiles.create", problems=(problem,))
