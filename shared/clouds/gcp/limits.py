"""What does Google publish about how often its APIs may be called? Quotas of a project, by groups of calls and minute.

Source: "Compute Engine rate quotas" (docs.cloud.google.com/compute/api-quota): 1,500 a minute and project for what
changes something and as many for what reads one thing; lists and operations are groups of their own. A spent quota
comes back whole at the next full minute. Cloud Monitoring counts for itself ("Quotas and limits": 6,000 queries a
minute), and so do Cloud Storage, Cloud SQL, Cloud DNS and the token endpoint, whose limits are a project's own or not
published: they are learned.
"""

from __future__ import annotations

from shared.clouds.budget.rate import Api, windowed

_QUOTA = 1500
_QUERIES = 6000


def api_of(name: str) -> Api:
    """What is counted together with the call `compute instances.insert`."""
    service, _, operation = name.rpartition(" ")
    group, _, method = operation.partition(".")
    if service == "compute" and group.endswith("Operations"):
        return windowed("compute operations", _QUOTA, 60)
    if service == "compute":
        kind = {"list": "lists", "get": "reads"}.get(method, "queries")
        return windowed(f"compute {kind}", _QUOTA, 60)
    if service == "monitoring":
        return windowed("monitoring", _QUERIES, 60)
    return Api(service or "token")
