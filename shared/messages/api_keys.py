"""API keys: what programs come in with. Owned by the gateway; the key itself is in one reply and in no event."""

from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.messages.base import Event, Facts, ListRequest, Mutation, Page, Request
from shared.messages.users import RoleName


class ApiKey(Facts):
    """A key without its secret; `prefix` is the part of it that may be shown."""

    id: UUID
    organization_id: UUID
    name: str
    role: str
    prefix: str
    created_by: str
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    version: int


class NewApiKey(ApiKey):
    """The reply to its creation: the only time that `key` is shown."""

    key: str = Field(repr=False)


class CreateApiKey(Mutation, entity="api_key", name="create", owner="gateway", reply=NewApiKey):
    """403 when the role holds more than the creator's own; a repeat is 409 `already_created`."""

    key_name: str = Field(min_length=1, max_length=200)
    role_of_key: RoleName
    expires_at: AwareDatetime | None = None


class GetApiKey(Request, entity="api_key", name="get", owner="gateway", reply=ApiKey):
    api_key: UUID


class ListApiKeys(ListRequest, entity="api_key", name="list", owner="gateway", reply=Page[ApiKey]):
    role: RoleName | None = None
    include_revoked: bool = False


class RevokeApiKey(Mutation, entity="api_key", name="revoke", owner="gateway", reply=ApiKey):
    """Revoking twice is once."""

    api_key: UUID


class ApiKeyEvent(Event):
    """The aggregate is the key."""

    api_key: ApiKey


class ApiKeyCreated(ApiKeyEvent, entity="api_key", name="created", owner="gateway"):
    pass


class ApiKeyRevoked(ApiKeyEvent, entity="api_key", name="revoked", owner="gateway"):
    pass
