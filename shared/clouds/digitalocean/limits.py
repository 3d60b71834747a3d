"""What does DigitalOcean publish about how often its API may be called? 250 a minute and 5,000 an hour for each token.
Spaces has limits of its own: 150 operations a second that list or change a bucket's things.

Source: "DigitalOcean API: rate limit" (docs.digitalocean.com/reference/api): the answers' headers say what is left of
the hour. "Spaces Limits" (docs.digitalocean.com/products/spaces/details/limits).
"""

from __future__ import annotations

from shared.clouds.budget.rate import Api, windowed

_REQUESTS = windowed("requests", 250, 60)
_SPACES = windowed("spaces", 150, 1)


def api_of(name: str) -> Api:
    """All calls of the API are counted together, and all calls of Spaces."""
    return _SPACES if name.startswith("spaces.") else _REQUESTS
