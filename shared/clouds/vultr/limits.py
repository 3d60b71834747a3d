"""What does Vultr publish about how often its API may be called? 30 calls a second from one address.

Source: "Vultr API: rate limiting" (www.vultr.com/api). Which of our addresses a call leaves from is nothing that we
know, so the budget is the key's; what another account spends from the same address is learned like any other limit.
"""

from __future__ import annotations

from shared.clouds.budget.rate import Api, windowed

_REQUESTS = windowed("requests", 30, 1)


def api_of(_name: str) -> Api:
    """All calls are counted together."""
    return _REQUESTS
