"""Is what each cloud can list in its inventory?"""

import json

import pytest

from deploy.local.clouds.gcp.accounts import new_key
from services.provisioner.handlers.scans import kinds_of
from shared.clouds.registry import catalog_of, open_cloud
from shared.clouds.settings import CloudSettings

pytestmark = pytest.mark.anyio

ID = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
CONFIGURATIONS = {
    "aws": {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "x" * 40},
    "azure": {"tenant_id": ID, "client_id": ID, "client_secret": "secret", "subscription_id": ID},
    "digitalocean": {"token": "token"},
    "gcp": {"project_id": "project-1", "service_account_key": json.dumps(new_key("robot", "project-1"))},
    "linode": {"token": "token"},
    "vultr": {"token": "token"},
}
OF_VOLUMES = {("storage", "volume"), ("storage", "snapshot")}
AS_A_WHOLE = {("storage", "volume"), ("storage", "machine_image")}


@pytest.mark.parametrize("name", CONFIGURATIONS)
async def test_volumes_and_what_machines_are_kept_as_are_in_the_inventory(name: str) -> None:
    """Nothing is asked of the cloud for that."""
    cloud = open_cloud(name, CONFIGURATIONS[name], CloudSettings())
    kinds = kinds_of(cloud, catalog_of(name))
    stored = {key for key in kinds if key in OF_VOLUMES | AS_A_WHOLE}
    assert stored == (OF_VOLUMES if name in {"aws", "azure", "gcp"} else AS_A_WHOLE)
    assert [kind.is_global for key, kind in kinds.items() if key[1] == "machine_image"] in ([], [True])
    await cloud.close()
