"""The clock door: what the gateway does by itself."""

from services.gateway.jobs import audit, tokens
from shared.runtime.jobs import Jobs

HOUR_S = 3600.0

jobs = Jobs()
jobs.add(24 * HOUR_S, "gateway.audit_checkpoints", audit.sign_checkpoints)
jobs.add(24 * HOUR_S, "gateway.audit_partitions", audit.make_partitions)
jobs.add(HOUR_S, "gateway.forget_ended", tokens.forget_ended)
