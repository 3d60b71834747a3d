"""Are plans kept, guarded against what is not there, and told how ready they are?"""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from shared.kit.errors import Conflict, InvalidInput, NotFound, Stale
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.backups import ListBackupConfigurations
from shared.messages.plans import (
    CreatePlan,
    GetPlan,
    GetRecoveryStatus,
    ListPlans,
    Plan,
    PlanCreated,
    PlanUpdated,
    UpdatePlan,
)
from tests.fixtures.services import context, mutation, now
from tests.services.recovery.conftest import EAST, WEST, Tenant

pytestmark = pytest.mark.anyio


async def test_a_plan_is_kept_with_its_defaults_and_told(tenant: Tenant) -> None:
    plan: Plan = await tenant.services.ask(tenant.plan())
    assert (plan.status, plan.plan_type, plan.version) == ("active", "backup_restore", 1)
    assert plan.recovery_objectives.rto_minutes == 240
    assert plan.recovery_objectives.rpo_minutes == 60
    assert plan.backup_strategy.retention_days == 30
    assert plan.failover_procedures.steps == ["backup_validation", "dns_switch", "app_restart"]
    assert plan.last_tested is plan.test_success_rate is None
    assert await tenant.ask_again(GetPlan, plan_id=plan.id) == plan
    assert [each.id for each in (await tenant.ask_again(ListPlans, q="web")).items] == [plan.id]
    assert (await tenant.services.event(PlanCreated)).plan == plan
    assert (await tenant.services.event(AuditRecorded, lambda e: e.action == "plan.create")).target_type == "plan"


async def test_the_recovery_time_defaults_by_type(tenant: Tenant) -> None:
    plan = await tenant.services.ask(tenant.plan(plan_type="pilot_light"))
    assert plan.recovery_objectives.rto_minutes == 15


ELSEWHERE: list[tuple[Callable[[Tenant], dict[str, Any]], str]] = [
    (lambda t: {"resources": [new_id()]}, "/resources/0"),
    (lambda t: {"resources": [t.resource_id, t.resource_id]}, "/resources/1"),
    (lambda t: {"primary_region": {"provider_id": new_id(), "region_code": EAST}}, "/primary_region/provider_id"),
    (
        lambda t: {"disaster_recovery_regions": [{"provider_id": t.provider_id, "region_code": "mars"}]},
        "/disaster_recovery_regions/0/region_code",
    ),
    (
        lambda t: {"disaster_recovery_regions": [{"provider_id": t.provider_id, "region_code": EAST}]},
        "/disaster_recovery_regions/0/region_code",
    ),
    (lambda t: {"backup_strategy": {"cross_region": False}}, "/backup_strategy/cross_region"),
]


async def test_a_plan_that_refers_to_what_is_not_there_is_refused_and_stores_nothing(tenant: Tenant) -> None:
    for changes, pointer in ELSEWHERE:
        with pytest.raises(InvalidInput) as refused:
            await tenant.services.ask(tenant.plan(**changes(tenant)))
        assert pointer in [each.pointer for each in refused.value.errors]
    assert (await tenant.ask_again(ListPlans)).items == []
    assert (await tenant.ask_again(ListBackupConfigurations)).items == []


@pytest.mark.parametrize("promise", [{"automated_failover": True}, {"failover_procedures": {"automatic": True}}])
def test_no_plan_promises_a_failover_that_nobody_does(promise: dict[str, Any]) -> None:
    region = {"provider_id": new_id(), "region_code": EAST}
    values = {"plan_name": "web", "primary_region": region, "disaster_recovery_regions": [region]}
    with pytest.raises(ValidationError, match="Input should be False"):
        CreatePlan(**mutation(context()), **values, resources=[new_id()], **promise)
    with pytest.raises(ValidationError, match="Input should be False"):
        UpdatePlan(**mutation(context()), plan_id=new_id(), **promise)


async def test_another_organizations_resources_and_plans_look_unknown(tenant: Tenant) -> None:
    plan = await tenant.services.ask(tenant.plan())
    request = tenant.plan()
    stranger = context()
    with pytest.raises(InvalidInput) as refused:
        await tenant.services.ask(request.model_copy(update={"organization": stranger.organization}))
    assert {each.detail for each in refused.value.errors} == {"is no known provider", "is no known resource"}
    with pytest.raises(NotFound):
        await tenant.services.ask(GetPlan(**stranger.envelope(now()), plan_id=plan.id))
    with pytest.raises(NotFound):
        await tenant.services.ask(UpdatePlan(**mutation(stranger), plan_id=plan.id, plan_name="mine"))


async def test_a_change_is_guarded_by_its_version_and_by_names(tenant: Tenant) -> None:
    plan = await tenant.services.ask(tenant.plan())
    other = await tenant.services.ask(tenant.plan())
    with pytest.raises(Stale):
        await tenant.services.ask(
            UpdatePlan(**{**mutation(tenant.context), "expected_version": 7}, plan_id=plan.id, plan_name="x")
        )
    with pytest.raises(Conflict) as refused:
        await tenant.services.ask(UpdatePlan(**mutation(tenant.context), plan_id=plan.id, plan_name=other.plan_name))
    assert refused.value.code == "plan_name_taken"
    with pytest.raises(Conflict):
        await tenant.services.ask(tenant.plan(plan_name=plan.plan_name))
    changed = await tenant.services.ask(
        UpdatePlan(**mutation(tenant.context), plan_id=plan.id, plan_name="renamed", status="inactive")
    )
    assert (changed.plan_name, changed.status, changed.version) == ("renamed", "inactive", 2)
    assert (await tenant.services.event(PlanUpdated)).plan == changed
    [configuration] = (await tenant.ask_again(ListBackupConfigurations, plan_id=plan.id)).items
    assert configuration.status == "paused"


async def test_the_same_key_makes_one_plan(tenant: Tenant) -> None:
    request = tenant.plan()
    first = await tenant.services.ask(request)
    assert await tenant.services.ask(request) == first
    assert len((await tenant.ask_again(ListPlans)).items) == 1


async def test_the_status_is_unknown_then_at_risk_then_ready(tenant: Tenant) -> None:
    assert (await tenant.ask_again(GetRecoveryStatus)).overall_status == "unknown"
    tenant.aws.fault(match={"action": "CopySnapshot"}, latency_ms=3000, count=1)
    plan = await tenant.services.ask(tenant.plan())
    before = await tenant.ask_again(GetRecoveryStatus)
    assert before.overall_status == "at_risk"
    assert before.plans[0].current_data_loss_s is None
    await tenant.backed_up(plan)
    after = await tenant.ask_again(GetRecoveryStatus)
    assert (after.overall_status, after.plans[0].rpo_met) == ("ready", True)
    assert after.plans[0].protected_resources == 1
    assert WEST in [region.region_code for region in plan.disaster_recovery_regions]
