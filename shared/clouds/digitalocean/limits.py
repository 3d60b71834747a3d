"""What does DigitalOcean publish about how often its API may be called? 250 a minute and 5,000 an hour for each token.
Spaces has limits of its own: 150 operations a second that list or change a bucket's things. So has the CDN: its answers
speak of 5 calls, as DigitalOcean says of purges in 10 seconds.

Source: "DigitalOcean API: rate limit" (docs.digitalocean.com/reference/api): the answers' headers say what is left of
the hour. "Spaces Limits" (docs.digitalocean.com/products/spaces/details/limits). The CDN: an answer in
github.com/digitalocean/terraform-provider-digitalocean, issue 1086.
"""

from __future__ import annotations

from shared.clouds.budget.rate import Api, windowed

_REQUESTS = windowed("requests", 250, 60)
_SPACES = windowed("spaces", 150, 1)
_ENDPOINTS = windowed("cdn", 5, 10)


def api_of(name: str) -> Api:
    """All calls of the API are counted together, but for those of the CDN, and all calls of Spaces."""
    return {"spaces": _SPACES, "endpoints": _ENDPOINTS}.get(name.partition(".")[0], _REQUESTS)
