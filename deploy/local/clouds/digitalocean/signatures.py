"""Was this request to Spaces signed with a key's secret, just now?

AWS Signature Version 4, as Spaces wants it (docs.digitalocean.com/reference/api/spaces, "Authentication").
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from urllib.parse import quote

from deploy.local.clouds.world.provider import HttpRequest

SCHEME = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{SCHEME} Credential=([A-Z0-9]+)/(\d{{8}})/([a-z0-9]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_SKEW_LIMIT_S = 15 * 60
_UNSIGNED = "UNSIGNED-PAYLOAD"


def key_of(request: HttpRequest) -> str:
    """The access key that a request names, empty for one that is not signed."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    return "" if found is None else found[1]


def region_of(request: HttpRequest) -> str:
    """Here all regions have one address: a request is for the region that it was signed for."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    return "global" if found is None else found[3]


def is_right(request: HttpRequest, secret: str, now_s: float) -> bool:
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    stamp = request.headers.get("x-amz-date", "")
    if found is None or not stamp.startswith(found[2]) or "host" not in found[4].split(";"):
        return False
    signed_at = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    claimed = request.headers.get("x-amz-content-sha256", "")
    whole = claimed in {_UNSIGNED, hashlib.sha256(request.body).hexdigest()}
    expected = _signature(request, secret, stamp, f"{found[2]}/{found[3]}/s3/aws4_request", found[4])
    return whole and abs(signed_at.timestamp() - now_s) <= _SKEW_LIMIT_S and hmac.compare_digest(expected, found[5])


def _signature(request: HttpRequest, secret: str, stamp: str, scope: str, names: str) -> str:
    query = "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(request.query.items()))
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names.split(";"))
    canonical = "\n".join([request.method, quote(request.path, safe="/~"), query, headers, names,
                           request.headers.get("x-amz-content-sha256", "")])  # fmt: skip
    text = "\n".join([SCHEME, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
