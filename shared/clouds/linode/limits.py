"""What does Linode publish about how often its API may be called? Some calls have windows of their own, for each user.

Source: "Rate limits" (techdocs.akamai.com/linode-api/reference/rate-limits): 10 created Linodes in 30 s, 100 lists a
minute, 50 statistics a minute, 800 of anything else in a minute.
"""

from __future__ import annotations

from shared.clouds.budget.rate import Api, windowed

_CREATES = windowed("creates", 10, 30)
_LISTS = windowed("lists", 100, 60)
_STATISTICS = windowed("statistics", 50, 60)
_OTHERS = windowed("requests", 800, 60)


def api_of(name: str) -> Api:
    """What is counted together with the call `instances.create`."""
    method = name.rpartition(".")[2]
    if name == "instances.create":
        return _CREATES
    return {"list": _LISTS, "stats": _STATISTICS}.get(method, _OTHERS)
