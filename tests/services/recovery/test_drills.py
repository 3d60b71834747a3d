"""Does a drill prove that a plan works, say what it did not check, and leave nothing behind?"""

from typing import Any

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.models import MachineState
from shared.kit.errors import Conflict, NotFound
from shared.messages.drills import DrillCompleted, DrillFailed, GetDrill, ListDrills, StartDrill
from shared.messages.operations import OperationFailed, OperationProgressed, OperationSucceeded
from shared.messages.plans import GetPlan
from shared.messages.resources import ResourceTerminated, ResourceUpdated
from tests.fixtures.services import context, mutation, now
from tests.services.recovery.conftest import WEST, Tenant, eventually

pytestmark = pytest.mark.anyio

GIVE_UP_NEXT = "UPDATE saga SET failures = 8 WHERE failures > 0 AND id = :id"
"""Seven failures are behind it: the next is the last that is allowed."""
CREATES = ("CreateSecurityGroup", "RegisterImage", "RunInstances")


async def test_a_drill_restores_in_the_other_region_verifies_measures_and_removes_everything(tenant: Tenant) -> None:
    plan, backup = await tenant.protect()
    begun = len(tenant.aws.ledger())
    accepted = await tenant.drill(plan)
    drill = await tenant.drilled(accepted)

    assert isinstance(await tenant.services.event(DrillCompleted), DrillCompleted)
    assert drill.test_successful is drill.success is True, drill.issues_identified
    assert all(check.passed for check in drill.checks)
    root = next(check for check in drill.checks if check.name.startswith("the root volume"))
    assert root.observed == root.expected == backup.snapshots[0].copies[WEST]
    assert drill.actual_rto_s is not None
    assert drill.actual_rpo_s is not None
    assert drill.rto_actual_minutes == round(drill.actual_rto_s / 60, 2)
    assert drill.rpo_actual_minutes == round(drill.actual_rpo_s / 60, 2)
    assert backup.recovery_point_at is not None
    assert drill.actual_rpo_s == max(0.0, (drill.started_at - backup.recovery_point_at).total_seconds())
    assert drill.data_loss_window_s == drill.actual_rpo_s
    assert any("DNS" in each for each in drill.not_checked)
    assert drill.restored[0].machine_id is not None
    assert "no rule opens" in str(drill.isolation)
    assert drill.not_cleaned == []
    assert tenant.left_of(drill) == []
    assert [len(tenant.made(action, begun)) for action in CREATES] == [1, 1, 1]
    assert len(tenant.made("DeleteSecurityGroup", begun)) == len(tenant.made("DeregisterImage", begun)) == 1
    operation = (
        await tenant.services.event(OperationSucceeded, lambda e: e.operation.id == accepted.operation.id)
    ).operation
    assert operation.result is not None
    assert operation.result["test_successful"] is True
    known = await tenant.ask_again(GetPlan, plan_id=plan.id)
    assert (known.status, known.test_success_rate) == ("active", 100.0)
    assert known.last_tested is not None
    assert (await tenant.ask_again(GetDrill, drill_id=drill.id)) == drill
    assert [each.id for each in (await tenant.ask_again(ListDrills, plan_id=plan.id)).items] == [drill.id]


async def test_the_report_says_what_the_deployment_says_about_durations(tenant: Tenant) -> None:
    await tenant.services._running[0].stop()
    await tenant.start(durations_note="durations are simulated")
    plan, _ = await tenant.protect()
    drill = await tenant.drilled(await tenant.drill(plan))
    assert drill.environment_note == "durations are simulated"


async def test_a_drill_without_a_backup_fails_with_an_issue_and_asks_the_cloud_for_nothing(tenant: Tenant) -> None:
    tenant.aws.fault(match={"action": "CreateSnapshot"}, status=403, code="UnauthorizedOperation")
    plan = await tenant.services.ask(tenant.plan())
    begun = len(tenant.aws.ledger())
    accepted = await tenant.drill(plan)
    drill = await tenant.drilled(accepted)
    assert drill.test_successful is False
    assert drill.actual_rto_s is drill.actual_rpo_s is drill.data_loss_window_s is None
    assert any("no usable backup in us-west-2" in issue for issue in drill.issues_identified)
    assert drill.recommendations
    await tenant.services.event(OperationSucceeded, lambda e: e.operation.id == accepted.operation.id)
    assert [tenant.made(action, begun) for action in CREATES] == [[], [], []]
    assert (await tenant.ask_again(GetPlan, plan_id=plan.id)).test_success_rate == 0.0


async def test_a_machine_that_dies_while_it_is_restored_is_an_issue_and_is_cleaned_up(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    tenant.aws.fault(match={"action": "DescribeInstances", "region": WEST}, latency_ms=400)
    accepted = await tenant.drill(plan)
    machines = machines_of(tenant.cloud)

    async def killed() -> bool:
        for each in tenant.aws.machines():
            if each["tags"].get("canopy:drill") == str(accepted.drill.id):
                await machines.terminate(WEST, each["id"])
                return True
        return False

    await eventually(killed)
    drill = await tenant.drilled(accepted)
    assert drill.test_successful is False
    assert drill.not_cleaned == []
    assert tenant.left_of(drill) == []


async def test_a_plan_has_one_drill_at_a_time(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    accepted = await tenant.drill(plan)
    with pytest.raises(Conflict) as refused:
        await tenant.drill(plan)
    assert refused.value.code == "drill_running"
    await tenant.drilled(accepted)
    assert (await tenant.drilled(await tenant.drill(plan))).test_successful is True


async def test_another_organization_cannot_test_the_plan_nor_read_its_drills(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    stranger = context()
    with pytest.raises(NotFound):
        await tenant.services.ask(StartDrill(**mutation(stranger), plan_id=plan.id))
    drill = await tenant.drilled(await tenant.drill(plan))
    with pytest.raises(NotFound):
        await tenant.services.ask(GetDrill(**stranger.envelope(now()), drill_id=drill.id))


async def test_a_resource_that_was_terminated_or_changed_meanwhile_is_an_issue(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    changed = tenant.resource(version=2, configuration={"instance_type": "t3.small"})
    await tenant.tell(ResourceUpdated, changed)
    drill = await tenant.drilled(await tenant.drill(plan))
    assert any("was changed from t3.micro to t3.small" in issue for issue in drill.issues_identified)
    assert drill.test_successful is True
    await tenant.tell(ResourceTerminated, changed.model_copy(update={"version": 3, "resource_status": "terminated"}))
    drill = await tenant.drilled(await tenant.drill(plan))
    assert any("is terminated" in issue for issue in drill.issues_identified)
    assert tenant.left_of(drill) == []


@pytest.mark.parametrize("fault", [{"reset": True, "after": True}, {"status": 503, "code": "RequestLimitExceeded"}])
async def test_lost_answers_and_throttling_make_nothing_twice(tenant: Tenant, fault: dict[str, Any]) -> None:
    plan, _ = await tenant.protect()
    for action in (*CREATES, "TerminateInstances", "DeregisterImage", "DeleteSecurityGroup"):
        tenant.aws.fault(match={"action": action}, count=2, **fault)
    drill = await tenant.drilled(await tenant.drill(plan))
    assert drill.test_successful is True, drill.issues_identified
    mine = [each["id"] for each in tenant.aws.machines() if each["tags"].get("canopy:drill") == str(drill.id)]
    assert len(mine) == 1
    assert tenant.left_of(drill) == []


async def test_a_refusal_to_remove_is_told_and_ends_the_drill(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    tenant.aws.fault(match={"action": "DeregisterImage"}, status=403, code="UnauthorizedOperation")
    drill = await tenant.drilled(await tenant.drill(plan))
    assert drill.test_successful is False
    assert [each.kind for each in drill.not_cleaned] == ["image"]
    assert any("by hand" in each for each in drill.recommendations)


async def test_a_lost_region_fails_the_drill_and_what_was_made_is_removed_when_it_is_back(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    tenant.aws.fault(match={"action": "RunInstances", "region": WEST}, status=400, code="InsufficientInstanceCapacity")
    accepted = await tenant.drill(plan)
    await tenant.services.event(
        OperationProgressed,
        lambda e: e.operation.id == accepted.operation.id and e.operation.progress.stage == "machine 1",
    )

    async def nearly_given_up() -> bool:
        await tenant.update(GIVE_UP_NEXT, id=accepted.operation.id)
        return any(
            isinstance(e, OperationFailed) and e.operation.id == accepted.operation.id for e in tenant.services.events
        )

    await eventually(nearly_given_up, 60)
    drill = await tenant.drilled(accepted)
    assert isinstance(await tenant.services.event(DrillFailed), DrillFailed)
    assert drill.test_successful is False
    assert any(issue.startswith("machine 1") for issue in drill.issues_identified)
    assert tenant.left_of(drill) == []
    assert len(tenant.made("DeregisterImage")) >= 1
    assert (await tenant.ask_again(GetPlan, plan_id=plan.id)).status == "active"


async def test_a_replica_killed_while_it_undoes_a_drill_leaves_nothing_at_the_cloud(tenant: Tenant) -> None:
    plan, _ = await tenant.protect()
    begun = len(tenant.aws.ledger())
    tenant.aws.fault(match={"action": "RunInstances", "region": WEST}, status=400, code="InsufficientInstanceCapacity")
    tenant.aws.fault(match={"action": "DeregisterImage"}, status=503, code="RequestLimitExceeded")
    accepted = await tenant.drill(plan)

    async def undoing() -> bool:
        await tenant.update(GIVE_UP_NEXT, id=accepted.operation.id)
        return await tenant.value("SELECT cleaning_since FROM dr_test_executions") is not None

    await eventually(undoing, 60)
    await tenant.services._running[-1].kill()
    assert tenant.made("DeregisterImage", begun) == tenant.made("DeleteSecurityGroup", begun) == []
    tenant.aws.clear_faults()
    await tenant.start()
    drill = await tenant.drilled(accepted)
    assert (drill.status, drill.test_successful, drill.not_cleaned) == ("failed", False, [])
    undone = ("RegisterImage", "DeregisterImage", "CreateSecurityGroup", "DeleteSecurityGroup", "RunInstances")
    assert [len(tenant.made(action, begun)) for action in undone] == [1, 1, 1, 1, 0]
    assert tenant.left_of(drill) == []
    assert (await tenant.ask_again(GetPlan, plan_id=plan.id)).status == "active"


@pytest.mark.parametrize(
    "stages", [("security group", "machine 1"), ("image 1", "machine 1 running"), ("verify 1", "remove machine 1")]
)
async def test_a_drill_killed_at_its_boundaries_ends_as_without_the_kill(
    tenant: Tenant, stages: tuple[str, ...]
) -> None:
    plan, _ = await tenant.protect()
    accepted = await tenant.drill(plan)
    for stage in stages:
        await tenant.services.event(
            OperationProgressed,
            lambda e, stage=stage: e.operation.id == accepted.operation.id and e.operation.progress.stage == stage,
            60,
        )
        await tenant.services._running[-1].kill()
        await tenant.start()
    drill = await tenant.drilled(accepted, 90)
    assert drill.test_successful is True, drill.issues_identified
    assert tenant.left_of(drill) == []
    terminated = [each for each in tenant.aws.machines() if each["tags"].get("canopy:drill") == str(drill.id)]
    assert [each["state"] for each in terminated] == [MachineState.TERMINATED]
