"""Which budgets have been crossed? All of them are measured, the longest unmeasured first."""

from uuid import UUID

from services.costs.deps import Deps
from services.costs.storage import budgets
from shared.kit.errors import NotFound
from shared.messages.context import Context
from shared.runtime.parts import each_apart


async def evaluate_budgets(deps: Deps) -> None:
    """One transaction per budget: what one run does not come to, the next one begins with."""
    async with deps.database.work(Context.background()) as work:
        found = await budgets.all_ids(work)

    async def evaluate(each: tuple[UUID, UUID]) -> None:
        organization, budget_id = each
        async with deps.database.work(Context.automatic(organization)) as work:
            try:
                row = await budgets.lock(work, budget_id)
            except NotFound:  # deleted since the list was read
                return
            await budgets.tell_crossings(work, await budgets.measure(work, row))

    await each_apart(found, evaluate)
