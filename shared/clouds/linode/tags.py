"""Which tags has Linode?"""

from __future__ import annotations

from shared.clouds.libcloud.tags import WordTags
from shared.clouds.linode.errors import PROVIDER

TAGS = WordTags(PROVIDER, shortest=3, longest=50)
"""Source: techdocs.akamai.com/linode-api/reference/post-tag: 3 to 50 characters."""
