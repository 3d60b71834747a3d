"""Accounts are opened by their provider's name, kept, and reopened when their credentials change."""

import copy
import gc
import pickle
import weakref

import pytest

from shared.clouds.capabilities import (
    Cloud,
    WithImages,
    WithMachines,
    WithMetrics,
    WithNetworks,
    WithSnapshots,
    WithVolumes,
    capabilities_of,
    images_of,
    machines_of,
    metrics_of,
    networks_of,
    snapshots_of,
    volumes_of,
)
from shared.clouds.errors import InvalidRequest, Unreachable, Unsupported
from shared.clouds.models import Credentials
from shared.clouds.registry import Clouds, catalog_of, metrics_period_of, open_cloud, provider_names
from shared.clouds.settings import CloudSettings

pytestmark = pytest.mark.anyio

KEYS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "wJalrSECRET"}


class Bare:
    """A cloud that can do nothing."""

    provider_name = "bare"


def test_an_unknown_provider_is_called_unsupported():
    for ask in (lambda: catalog_of("vulcan"), lambda: open_cloud("vulcan", KEYS, CloudSettings())):
        with pytest.raises(Unsupported, match="Unsupported provider: vulcan") as caught:
            ask()
        assert caught.value.field == "provider_name"


def test_every_provider_has_a_catalogue_of_its_name():
    assert provider_names() == ("aws", "azure", "digitalocean", "gcp", "linode", "vultr")
    for name in provider_names():
        assert catalog_of(name).provider_name == name


def test_credentials_are_checked_before_a_cloud_is_opened():
    with pytest.raises(InvalidRequest) as caught:
        open_cloud("aws", {"access_key_id": "AKIAEXAMPLE"}, CloudSettings())
    assert caught.value.field == "secret_access_key"


async def test_aws_has_these_capabilities():
    cloud = open_cloud("aws", KEYS, CloudSettings())
    for capability in (WithMachines, WithVolumes, WithSnapshots, WithImages, WithNetworks, WithMetrics):
        assert isinstance(cloud, capability)
    words = {word for word, has in capabilities_of(cloud).items() if has}
    assert words == {"compute", "storage", "database", "networking", "monitoring", "cdn"}
    await cloud.close()


def test_what_a_cloud_cannot_do_is_unsupported():
    cloud: Cloud = Bare()
    assert not any(capabilities_of(cloud).values())
    for ask in (machines_of, volumes_of, snapshots_of, images_of, networks_of, metrics_of):
        with pytest.raises(Unsupported, match="bare has no"):
            ask(cloud)


async def test_an_account_is_opened_once():
    clouds = Clouds(CloudSettings())
    first = await clouds.account("provider-1", "aws", Credentials(KEYS))
    assert await clouds.account("provider-1", "aws", Credentials(KEYS)) is first
    assert await clouds.account("provider-2", "aws", Credentials(KEYS)) is not first
    await clouds.close()


async def test_only_the_accounts_asked_last_are_kept_and_a_given_up_one_goes_with_its_last_user():
    clouds = Clouds(CloudSettings(cloud_accounts_open=2))
    used = await clouds.account("provider-1", "aws", Credentials(KEYS))
    kept = await clouds.account("provider-2", "aws", Credentials(KEYS))
    for number in (3, 4):
        await clouds.account(f"provider-{number}", "aws", Credentials(KEYS))
        assert await clouds.account("provider-2", "aws", Credentials(KEYS)) is kept
    assert await clouds.account("provider-1", "aws", Credentials(KEYS)) is not used
    given_up = weakref.ref(used)
    del used
    gc.collect()
    assert given_up() is None
    await clouds.close()


async def test_new_credentials_reopen_an_account_and_the_old_one_ends_its_work_first():
    now_s = [100.0]
    clouds = Clouds(CloudSettings(cloud_handover_s=60, aws_endpoint_url="http://127.0.0.1:1"), now_s=lambda: now_s[0])
    old = await clouds.account("provider-1", "aws", Credentials(KEYS))
    new = await clouds.account("provider-1", "aws", Credentials({**KEYS, "secret_access_key": "other"}))
    assert new is not old

    async def code() -> str:
        with pytest.raises(Unreachable) as caught:
            await old.authenticate()
        return caught.value.code

    now_s[0] += 59
    await clouds.account("provider-2", "aws", Credentials(KEYS))
    assert await code() != "closed"
    now_s[0] += 1
    await clouds.account("provider-2", "aws", Credentials(KEYS))
    assert await code() == "closed"
    await clouds.close()


async def test_what_was_replaced_is_closed_with_its_provider():
    clouds = Clouds(CloudSettings())
    old = await clouds.account("provider-1", "aws", Credentials(KEYS))
    await clouds.account("provider-1", "aws", Credentials({**KEYS, "secret_access_key": "other"}))
    await clouds.forget("provider-1")
    with pytest.raises(Unreachable, match="closed"):
        await old.authenticate()


async def test_a_forgotten_account_is_closed():
    clouds = Clouds(CloudSettings())
    cloud = await clouds.account("provider-1", "aws", Credentials(KEYS))
    await clouds.forget("provider-1")
    await clouds.forget("provider-1")
    with pytest.raises(Unreachable):
        await cloud.authenticate()


async def test_endpoints_come_from_the_environment_only(monkeypatch):
    monkeypatch.setenv("CANOPY_AWS_ENDPOINT_URL", "http://127.0.0.1:1234")
    assert str(CloudSettings().aws_endpoint_url) == "http://127.0.0.1:1234/"
    with pytest.raises(InvalidRequest) as caught:
        open_cloud("aws", {**KEYS, "endpoint_url": "http://127.0.0.1:1"}, CloudSettings())
    assert caught.value.field == "endpoint_url"


def test_credentials_never_print_or_pickle_themselves():
    credentials = Credentials(KEYS)
    shown = f"{credentials} {credentials!r} {[credentials]}"
    for secret in KEYS.values():
        assert secret not in shown
    assert "secret_access_key" in shown
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
    with pytest.raises(TypeError):
        copy.deepcopy(credentials)


def test_a_fingerprint_tells_credentials_apart_and_nothing_else():
    assert Credentials(KEYS).fingerprint() == Credentials(dict(reversed(KEYS.items()))).fingerprint()
    assert Credentials(KEYS).fingerprint() != Credentials({**KEYS, "default_region": "eu-west-1"}).fingerprint()
    assert "wJalr" not in Credentials(KEYS).fingerprint()


def test_points_are_asked_for_as_wide_as_each_provider_has_them():
    assert {name: metrics_period_of(name, None) for name in provider_names()} == {
        "aws": 300, "azure": 300, "digitalocean": 300, "gcp": 300, "linode": 300, "vultr": 86_400
    }  # fmt: skip
    assert metrics_period_of("aws", 5) == 5
    assert metrics_period_of("azure", 60) == 60
    for name, period_s in (("azure", 5), ("linode", 60), ("vultr", 300)):
        with pytest.raises(InvalidRequest) as caught:
            metrics_period_of(name, period_s)
        assert caught.value.field == "metrics_period_s"
