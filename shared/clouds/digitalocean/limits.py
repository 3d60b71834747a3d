"""What does DigitalOcean publish about how often its API may be called? 250 a minute and 5,000 an hour for each token.

Source: "DigitalOcean API: rate limit" (docs.digitalocean.com/reference/api): the answers' headers say what is left of
the hour.
"""

from __future__ import annotations

from shared.clouds.budget.rate import Api, windowed

_REQUESTS = windowed("requests", 250, 60)


def api_of(_name: str) -> Api:
    """All calls are counted together."""
    return _REQUESTS
