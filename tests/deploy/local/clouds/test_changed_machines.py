"""What a client changes of a machine is on the bill from then on: its size at every cloud, its power where off is free."""

import json
from decimal import Decimal

import pytest

from deploy.local.clouds.azure import billing as azure_billing
from deploy.local.clouds.azure.provider import AzureProvider
from deploy.local.clouds.bills import DAY_S, STORAGE, Billed, charges
from deploy.local.clouds.digitalocean import billing as digitalocean_billing
from deploy.local.clouds.digitalocean.provider import DigitalOcean
from deploy.local.clouds.gcp import billing as gcp_billing
from deploy.local.clouds.gcp.provider import GcpProvider
from deploy.local.clouds.linode import billing as linode_billing
from deploy.local.clouds.linode.provider import Linode
from deploy.local.clouds.vultr import billing as vultr_billing
from deploy.local.clouds.vultr.provider import Vultr
from tests.deploy.local.clouds.paying import Payer, paying, sign_in_at_azure, sign_in_at_google


def changed(cloud: Payer, *calls: tuple[str, str, dict]) -> None:
    """Each of them a day after the one before."""
    for method, url, document in calls:
        status, answer = cloud.ask(method, url, document)
        assert status < 300, answer
        cloud.world.advance(DAY_S)


def the_machine(cloud: Payer):
    (machine,) = cloud.call().list("machine")
    return machine


def of(found: list[Billed], machine_id: str) -> list[Billed]:
    return [each for each in found if each.id == machine_id]


def test_a_resize_is_a_line_of_its_own_where_off_costs_as_much_as_on(tmp_path) -> None:
    for provider, tariff, calls, new in (
        (DigitalOcean(), digitalocean_billing.TARIFF, (
            ("POST", "/v2/volumes", {"name": "kept", "region": "nyc3", "size_gigabytes": 100}),
            ("POST", "/v2/droplets/{id}/actions", {"type": "power_off"}),
            ("POST", "/v2/droplets/{id}/actions", {"type": "resize", "size": "s-8vcpu-16gb"}),
        ), "s-8vcpu-16gb"),
        (Linode(), linode_billing.TARIFF, (
            ("POST", "/v4/volumes", {"label": "kept", "region": "us-east", "size": 100}),
            ("POST", "/v4/linode/instances/{id}/shutdown", {}),
            ("POST", "/v4/linode/instances/{id}/resize", {"type": "g6-standard-8"}),
        ), "g6-standard-8"),
        (Vultr(), vultr_billing.TARIFF, (
            ("POST", "/v2/blocks", {"label": "kept", "region": "ewr", "size_gb": 100}),
            ("POST", "/v2/instances/halt", {"instance_ids": ["{id}"]}),
            ("PATCH", "/v2/instances/{id}", {"plan": "vc2-8c-32gb"}),
        ), "vc2-8c-32gb"),
    ):  # fmt: skip
        with paying(provider, tmp_path / provider.name, 1) as cloud:
            machine = the_machine(cloud)
            changed(cloud, *json.loads(json.dumps(calls).replace("{id}", machine.id)))
            before, after, volume = tariff.billed(cloud.call())
            assert (before.id, after.id, after.kind) == (machine.id, machine.id, new), provider.name
            assert before.gone_s == after.launched_s == cloud.now_s - DAY_S + 0.8 * 30
            assert after.hour_usd > before.hour_usd
            assert after.gone_s is None
            (kept,) = charges(volume, volume.launched_s, cloud.now_s)
            assert (kept.what, kept.usd) == (STORAGE, pytest.approx(Decimal(10 * 72 / tariff.month_hours)))


def test_power_and_size_are_followed_where_off_is_free(tmp_path) -> None:
    with paying(AzureProvider(), tmp_path / "azure", 1) as cloud:
        sign_in_at_azure(cloud)
        url, began_s = the_machine(cloud).id, cloud.now_s
        size = {"properties": {"hardwareProfile": {"vmSize": "Standard_D8s_v5"}}}
        changed(
            cloud,
            ("POST", f"{url}/deallocate?api-version=1", {}),
            ("PATCH", f"{url}?api-version=1", size),
            ("POST", f"{url}/start?api-version=1", {}),
            ("POST", f"{url}/powerOff?api-version=1", {}),
            ("DELETE", f"{url}?api-version=1", {}),
        )
        before, after = of([each.billed for each in azure_billing.paid_for(cloud.call())], url)
        assert before.gone_s == began_s + 30
        assert (after.kind, after.launched_s, after.gone_s) == (
            "Standard_D8s_v5", began_s + 2 * DAY_S, began_s + 4 * DAY_S + 30,
        )  # fmt: skip

    with paying(GcpProvider(), tmp_path / "gcp", 1) as cloud:
        sign_in_at_google(cloud)
        machine, began_s = the_machine(cloud), cloud.now_s
        url, zone = f"/compute/v1/projects/{machine.account}/{machine.id}", machine.id.split("/")[1]
        changed(
            cloud,
            ("POST", f"{url}/stop", {}),
            ("POST", f"{url}/setMachineType", {"machineType": f"zones/{zone}/machineTypes/e2-standard-16"}),
            ("POST", f"{url}/start", {}),
        )
        assert not {"power", "sizes"} & set(cloud.get(url))
        before, after = of([each.billed for each in gcp_billing.paid_for(cloud.call())], machine.facts["id"])
        assert (before.gone_s, after.launched_s, after.gone_s) == (began_s + 30, began_s + 2 * DAY_S, None)
        assert after.kind == "e2-standard-16" != before.kind
