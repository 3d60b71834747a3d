"""Which budgets have been crossed? All of them are measured, organization by organization."""

from itertools import groupby

from services.costs.deps import Deps
from services.costs.storage import budgets
from shared.kit.errors import NotFound
from shared.messages.context import Context


async def evaluate_budgets(deps: Deps) -> None:
    """One transaction per organization: its budgets' figures, crossings and events appear together."""
    async with deps.database.work(Context.background()) as work:
        found = sorted(await budgets.all_ids(work))
    for organization, group in groupby(found, key=lambda pair: pair[0]):
        async with deps.database.work(Context.automatic(organization)) as work:
            for _, budget_id in group:
                try:
                    row = await budgets.find(work, budget_id, lock=True)
                except NotFound:  # removed since the list was read
                    continue
                await budgets.evaluate(work, row)
