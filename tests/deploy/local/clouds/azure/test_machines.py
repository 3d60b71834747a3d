"""The synchronous SDK, unmodified, sees virtual machines live as at Azure: slowly, and with its errors."""

import threading

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)

from tests.deploy.local.clouds.azure.conftest import Sdk, ask_for_token, machine_body


def create(sdk, group, name, **changes):
    body = machine_body(sdk, group, name, **changes)
    return sdk.compute.virtual_machines.begin_create_or_update(group, name, body, polling=False).result()


def power(sdk, group, name) -> str:
    view = sdk.compute.virtual_machines.instance_view(group, name)
    return next((each.code for each in view.statuses if each.code.startswith("PowerState/")), "")


def test_the_sdk_waits_for_a_machine_until_it_runs(azure, sdk, group):
    poller = sdk.compute.virtual_machines.begin_create_or_update(group, "slow", machine_body(sdk, group, "slow"))
    assert poller.status() == "InProgress"
    assert sdk.compute.virtual_machines.get(group, "slow").properties.provisioning_state == "Creating"
    timer = threading.Timer(0.5, azure.advance)
    timer.start()
    assert poller.result(timeout=20).properties.provisioning_state == "Succeeded"
    timer.join()
    assert power(sdk, group, "slow") == "PowerState/running"


def test_an_operation_that_fails_says_why(azure, sdk, group):
    azure.fault(match={"service": "azure", "action": "virtual_machines.create_or_update"}, fail_operation=True, count=1)
    poller = sdk.compute.virtual_machines.begin_create_or_update(group, "failed", machine_body(sdk, group, "failed"))
    azure.advance()
    with pytest.raises(HttpResponseError) as caught:
        poller.result(timeout=20)
    assert caught.value.error.code == "AllocationFailed"
    assert sdk.compute.virtual_machines.get(group, "failed").properties.provisioning_state == "Failed"


def test_power_goes_through_its_states(azure, sdk, group):
    create(sdk, group, "power")
    azure.advance()
    sdk.compute.virtual_machines.begin_deallocate(group, "power", polling=False)
    assert power(sdk, group, "power") == "PowerState/deallocating"
    with pytest.raises(ResourceExistsError) as caught:
        sdk.compute.virtual_machines.begin_start(group, "power", polling=False)
    assert caught.value.error.code == "OperationNotAllowed"
    azure.advance()
    assert power(sdk, group, "power") == "PowerState/deallocated"
    sdk.compute.virtual_machines.begin_start(group, "power", polling=False)
    azure.advance()
    assert power(sdk, group, "power") == "PowerState/running"
    sdk.compute.virtual_machines.begin_delete(group, "power", polling=False)
    assert sdk.compute.virtual_machines.get(group, "power").properties.provisioning_state == "Deleting"
    azure.advance()
    with pytest.raises(ResourceNotFoundError):
        sdk.compute.virtual_machines.get(group, "power")


def test_a_put_that_asks_for_nothing_to_be_there_is_refused_when_there_is(sdk, group):
    create(sdk, group, "once")
    with pytest.raises(ResourceExistsError) as caught:
        sdk.compute.virtual_machines.begin_create_or_update(
            group, "once", machine_body(sdk, group, "once"), match_condition=MatchConditions.IfMissing, polling=False
        )
    assert caught.value.status_code == 412


def test_a_deleted_machine_s_name_is_free_and_the_controls_list_both(azure, sdk, group):
    first = create(sdk, group, "again").properties.vm_id
    sdk.compute.virtual_machines.begin_delete(group, "again", polling=False)
    azure.advance()
    assert create(sdk, group, "again").properties.vm_id != first
    listed = [each["state"] for each in azure.machines() if each["id"].endswith("/again")]
    assert sorted(listed) == ["creating", "deleted"]


@pytest.mark.parametrize(
    ("change", "code", "target"),
    [
        (("hardwareProfile", {"vmSize": "Standard_Z9"}), "InvalidParameter", "vmSize"),
        (("osProfile", None), "InvalidParameter", "osProfile"),
        (("networkProfile", {}), "InvalidParameter", "networkProfile"),
    ],
)
def test_a_wrong_body_is_refused_by_its_target(sdk, group, change, code, target):
    body = machine_body(sdk, group, "wrong")
    body["properties"][change[0]] = change[1]
    with pytest.raises(HttpResponseError) as caught:
        sdk.compute.virtual_machines.begin_create_or_update(group, "wrong", body, polling=False)
    assert caught.value.status_code == 400
    assert (caught.value.error.code, caught.value.error.target) == (code, target)


def test_a_quota_that_is_used_up_is_a_conflict(sdk, group):
    body = machine_body(sdk, group, "giant")
    body["properties"]["hardwareProfile"] = {"vmSize": "Standard_M128s"}
    with pytest.raises(ResourceExistsError) as caught:
        sdk.compute.virtual_machines.begin_create_or_update(group, "giant", body, polling=False)
    assert caught.value.error.code == "OperationNotAllowed"
    assert "quota" in caught.value.error.message


def test_a_long_list_comes_in_pages_without_gaps(azure, sdk, group):
    for number in range(120):
        create(sdk, group, f"many-{number}")
    pages = [
        [each.name for each in page]
        for page in sdk.compute.virtual_machines.list_by_location("francecentral").by_page()
    ]
    assert len(pages) > 1
    assert max(map(len, pages)) == 100
    names = [name for page in pages for name in page]
    assert len(names) == len(set(names))
    assert {f"many-{number}" for number in range(120)} <= set(names)


def test_a_wrong_token_and_a_missing_one_are_refused(azure, sdk):
    for token in ("nonsense", f"{ask_for_token(azure)[1]['access_token']}x"):
        stranger = Sdk(azure, token, retry_total=0)
        with pytest.raises(ClientAuthenticationError) as caught:
            list(stranger.compute.virtual_machines.list_all())
        assert caught.value.error.code == "InvalidAuthenticationToken"
        stranger.close()


def test_another_subscription_is_not_found(azure):
    stranger = Sdk(azure, ask_for_token(azure, 1)[1]["access_token"])
    with pytest.raises(ResourceNotFoundError) as caught:
        list(stranger.compute.virtual_machines.list_all())
    assert caught.value.error.code == "SubscriptionNotFound"
    stranger.close()


def test_a_reader_may_read_and_not_write(azure):
    reader = Sdk(azure, ask_for_token(azure, 2)[1]["access_token"])
    list(reader.compute.virtual_machines.list_all())
    with pytest.raises(HttpResponseError) as caught:
        reader.resources.resource_groups.create_or_update("mine", {"location": "eastus"})
    assert (caught.value.status_code, caught.value.error.code) == (403, "AuthorizationFailed")
    reader.close()


@pytest.mark.parametrize(
    ("account", "changes", "status", "code"),
    [
        (0, {"client_secret": "invalid"}, 401, 7000215),
        (0, {"client_id": "invalid"}, 400, 700016),
        (0, {"tenant_id": "invalid"}, 400, 90002),
        (3, {}, 401, 7000222),
    ],
)
def test_entra_refuses_with_its_own_codes(azure, account, changes, status, code):
    answered, body = ask_for_token(azure, account, **changes)
    assert (answered, body["error_codes"]) == (status, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")


def test_the_sdk_waits_as_long_as_a_throttle_says(azure, sdk):
    azure.fault(
        match={"service": "azure", "action": "virtual_machines.list_all"}, status=429, code="throttled",
        retry_after_s=0.2, count=1,
    )  # fmt: skip
    list(sdk.compute.virtual_machines.list_all())


def test_a_stale_list_lags_behind(azure, sdk, group):
    create(sdk, group, "young")
    azure.fault(match={"service": "azure", "action": "virtual_machines.list_all"}, stale_s=10)
    assert "young" not in {each.name for each in sdk.compute.virtual_machines.list_all()}
    azure.clear_faults()
    assert "young" in {each.name for each in sdk.compute.virtual_machines.list_all()}
