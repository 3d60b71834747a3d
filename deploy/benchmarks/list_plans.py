"""How long does PostgreSQL itself take for a page? The provisioner's own statements, explained as they run.

Under row level security as the service's role, with the parameters of each question, in a process of the benchmark's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from deploy.benchmarks.deployment import Deployment
from services.provisioner.storage.resource_pages import question
from shared.db.engine import Database, create_engine
from shared.db.pages import encode_cursor
from shared.db.work import Work
from shared.messages.context import Context
from shared.messages.resources import ListResources

_REPEATS = 9
_AT_DEPTH = text(
    "SELECT created_at, id FROM cloud_resources WHERE organization_id = :organization "
    "ORDER BY created_at DESC, id DESC OFFSET :depth LIMIT 1"
)


@dataclass
class Plans:
    """Milliseconds of planning and running, by question and, for the plain list, by depth; `cursors` lead there."""

    times_ms: dict[str, list[float]] = field(default_factory=dict)
    depths_ms: list[list[float]] = field(default_factory=list)
    cursors: list[str | None] = field(default_factory=list)
    plans: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def read(cls, deployment: Deployment, questions: Sequence[Mapping[str, str]], depths: Sequence[int]) -> Plans:
        """Each question some times over, and the pages that begin at these depths."""
        url = deployment.stack.environment_of("provisioner")["CANOPY_DATABASE_URL"]
        engine = create_engine(url, application_name="canopy benchmark")
        plans, asking = cls(), _Asking(Database(engine, "provisioner"), deployment.organization)
        try:
            for question in questions:
                name = ", ".join(f"{key}={value}" for key, value in question.items()) or "all"
                plans.times_ms[name], plans.plans[name] = await asking.times_ms(dict(question))
            for depth in depths:
                cursor = await asking.cursor_at(depth)
                plans.cursors.append(cursor)
                found, _ = await asking.times_ms({} if cursor is None else {"cursor": cursor})
                plans.depths_ms.append(found)
        finally:
            await engine.dispose()
        return plans


class _Asking:
    def __init__(self, database: Database, organization: UUID) -> None:
        self._database = database
        self._organization = organization
        self._context = Context.automatic(organization)

    async def times_ms(self, asked_for: Mapping[str, Any]) -> tuple[list[float], str]:
        """With the last plan as text."""
        request = ListResources(**self._context.envelope(datetime.now(UTC)), **asked_for)
        asked = question(self._organization, request)
        async with self._database.work(self._context) as work:
            found = [await self._explained(work, asked.statement, asked.parameters) for _ in range(_REPEATS)]
        return [took for took, _ in found], found[-1][1]

    async def _explained(self, work: Work, statement: str, parameters: Any) -> tuple[float, str]:
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        (document,) = (await work.connection.exec_driver_sql(explained, parameters)).one()
        plan = document[0]
        return plan["Planning Time"] + plan["Execution Time"], json.dumps(plan["Plan"], indent=1)

    async def cursor_at(self, depth: int) -> str | None:
        if depth == 0:
            return None
        async with self._database.work(self._context) as work:
            row = (await work.execute(_AT_DEPTH, {"organization": work.organization, "depth": depth})).one()
        return encode_cursor("-created_at", row.created_at, row.id)
