"""What is asked about API keys?"""

from datetime import datetime

from services.gateway.deps import Deps
from services.gateway.domain.api_keys import ensure_grantable, new_api_key
from services.gateway.domain.opaque_tokens import RANDOM_BYTES
from services.gateway.storage import api_keys
from services.gateway.storage.principals import matrix_of
from shared.bus.router import Routes
from shared.db.work import Work
from shared.kit.ids import new_id
from shared.messages.api_keys import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyRevoked,
    CreateApiKey,
    GetApiKey,
    ListApiKeys,
    NewApiKey,
    RevokeApiKey,
)
from shared.messages.base import Page
from shared.messages.context import Context
from shared.security.roles import Role

routes = Routes()


@routes.request(ListApiKeys)
async def list_api_keys(request: ListApiKeys, deps: Deps) -> Page[ApiKey]:
    async with deps.database.work(Context.of(request)) as work:
        return await api_keys.page(work, request)


@routes.request(GetApiKey)
async def get_api_key(request: GetApiKey, deps: Deps) -> ApiKey:
    async with deps.database.work(Context.of(request)) as work:
        return await api_keys.get(work, request.api_key)


@routes.request(CreateApiKey)
async def create_api_key(request: CreateApiKey, deps: Deps) -> NewApiKey:
    """The key leaves in this reply only: a repeat of the request is told that it was created."""
    role = Role(request.role_of_key)
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        matrix = await matrix_of(work, work.organization)
        ensure_grantable(Role(request.role), role, request.expires_at, matrix, work.now)
        reply = await make_api_key(work, deps, request.key_name, role, request.expires_at)
        acceptance.answer(reply, secret=True)
    return reply


@routes.request(RevokeApiKey)
async def revoke_api_key(request: RevokeApiKey, deps: Deps) -> ApiKey:
    async with deps.database.accept(request) as acceptance:
        work = acceptance.work
        key = await api_keys.lock(work, request.api_key)
        request.check_version("API key", key.version)
        if key.revoked_at is None:
            key = await api_keys.revoke(work, key.id)
            work.emit(ApiKeyRevoked(**work.about(key.id, key.version), api_key=key))
            _audit(work, key, "api_key.revoke")
        acceptance.answer(key)
    return key


async def make_api_key(work: Work, deps: Deps, name: str, role: Role, expires_at: datetime | None = None) -> NewApiKey:
    """A new key in the organization of this work, with its event and its audit entry."""
    token = new_api_key(deps.randomness(RANDOM_BYTES))
    key = await api_keys.add(work, new_id(), name, role, token, deps.keys.api_keys, expires_at)
    work.emit(ApiKeyCreated(**work.about(key.id, key.version), api_key=key))
    _audit(work, key, "api_key.create")
    return NewApiKey(**key.model_dump(), key=token.text)


def _audit(work: Work, key: ApiKey, action: str) -> None:
    work.audit(action, key.id, key.version, key.name, {"role": key.role, "prefix": key.prefix})
