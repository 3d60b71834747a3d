"""What the operations about a machine say when the machine itself is not there (any more)."""

import pytest

from shared.clouds.gcp.operations import _past
from shared.clouds.models import MachineSpec, MachineState
from shared.clouds.registry import open_cloud
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio


def operation(kind: str, status: str = "DONE", minute: int = 0, error: str | None = None):
    return {
        "name": f"operation-{kind}-{minute}",
        "operationType": kind,
        "status": status,
        "insertTime": f"2026-11-20T10:{minute:02}:00.000-08:00",
        "zone": "https://www.googleapis.com/compute/v1/projects/p/zones/us-east1-b",
        **({"error": {"errors": [{"code": error, "message": "words"}]}} if error else {}),
    }


MADE, DELETED, COMING = operation("insert"), operation("delete", minute=5), operation("insert", "RUNNING", 6)
FULL = operation("insert", error="ZONE_RESOURCE_POOL_EXHAUSTED", minute=1)


@pytest.mark.parametrize(
    ("operations", "deleted", "coming", "failure", "attempts"),
    [
        ([MADE, DELETED], True, False, None, 0),
        ([DELETED], True, False, None, 0),
        ([MADE], True, False, None, 0),  # gone by another way than ours: its creation is done, and it is not there
        ([COMING], False, True, None, 0),
        ([FULL], False, False, "ZONE_RESOURCE_POOL_EXHAUSTED: words", 1),
        ([FULL, FULL], False, False, "ZONE_RESOURCE_POOL_EXHAUSTED: words", 2),
        ([FULL, COMING], False, True, None, 1),
        ([FULL, MADE, DELETED], True, False, None, 1),
        ([MADE, operation("delete", minute=5, error="INTERNAL_ERROR")], True, False, None, 0),
        ([operation("setLabels"), FULL], False, False, "ZONE_RESOURCE_POOL_EXHAUSTED: words", 1),
    ],
)
def test_what_became_of_it(operations, deleted, coming, failure, attempts):
    past = _past("us-east1-b", operations)
    assert (past.deleted, past.coming, past.failure, past.attempts) == (deleted, coming, failure, attempts)
    assert past.began_at.utcoffset().total_seconds() == 0


def test_what_is_not_about_its_life_says_nothing():
    assert _past("us-east1-b", []) is None
    assert _past("us-east1-b", [operation("setLabels"), operation("start", error="QUOTA_EXCEEDED")]) is None


async def test_a_question_that_fails_ends_the_waiting_only(cloud, gcp):
    """The change was accepted: what became of it is read from the machine."""
    gcp.fault(match={"service": "gcp", "action": "zoneOperations.get"}, status=503)
    made = await cloud.machines.create("us-east1", MachineSpec(new_token(), "e2-micro"))
    assert made.state is MachineState.PENDING


async def test_the_waiting_has_an_end(gcp):
    impatient = open_cloud("gcp", gcp.credentials(), gcp.settings(gcp_operation_wait_s=0.01))
    gcp.fault(match={"service": "gcp", "action": "instances.insert"}, fail_operation=True, count=1)
    before = gcp.calls().get(("us-east1", "zoneOperations.get"), 0)
    await impatient.machines.create("us-east1", MachineSpec(new_token(), "e2-micro"))
    assert gcp.calls().get(("us-east1", "zoneOperations.get"), 0) == before
    await impatient.close()
