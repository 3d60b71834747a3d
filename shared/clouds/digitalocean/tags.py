"""Which tags does DigitalOcean take?

Source: docs.digitalocean.com/reference/api, "Tags": letters, numbers, colons, dashes, underscores; 255 characters; case
is kept as first written and ignored when compared.
"""

from __future__ import annotations

from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.libcloud.tags import WordTags
from shared.clouds.models import TOKEN_TAG

TAGS = WordTags(PROVIDER, shortest=1, longest=255)


def token_tag(token: str) -> str:
    """The one tag of a token, by which a droplet is found: 64 characters and the key are at most 128 in base32."""
    [word] = TAGS.words_of(TOKEN_TAG, token)
    return word
