"""What do we say to what is behind a CDN, and what does that say of it?

Sources: "Caching overview" (cloud.google.com/cdn/docs/caching) for what a cache mode lets be said of TTLs, "Set up an
external backend with an internet NEG" for the Host header that the origin has to be given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from shared.clouds.assets import Asset, AssetLink
from shared.clouds.gcp.addresses import last_part
from shared.clouds.gcp.assets import Json
from shared.clouds.gcp.front_ends import BUCKETS, SERVICES, Chain, Part, domains_of, shown

_MODES = {"static": "CACHE_ALL_STATIC", "origin_headers": "USE_ORIGIN_HEADERS", "all": "FORCE_CACHE_ALL"}
_CACHES = {mode: name for name, mode in _MODES.items()}
_TTLS = ("clientTtl", "defaultTtl", "maxTtl")
_DEFAULT_TTL_S, _MAX_TTL_S = 3600, 86400
_PORTS = {"https": 443, "http": 80}


def is_cdn(backend_kind: str, backend: Json) -> bool:
    return bool(backend.get("enableCDN" if backend_kind == SERVICES else "enableCdn"))


def endpoint_of(given: Json) -> dict[str, Any] | None:
    """Of a server; None for a bucket."""
    origin = given["origin"]
    if origin is None:
        return None
    return {"ipAddress" if _is_address(origin) else "fqdn": origin, "port": _PORTS[given["origin_protocol"]]}


def group_part(name: str, given: Json) -> Part:
    """The endpoint group; its endpoint is attached when it is there."""
    body = {
        "name": name,
        "networkEndpointType": "INTERNET_IP_PORT" if _is_address(given["origin"]) else "INTERNET_FQDN_PORT",
        "defaultPort": _PORTS[given["origin_protocol"]],
    }
    return Part("globalNetworkEndpointGroups", "global/networkEndpointGroups", body)


def cached_as(backend: Json, given: Json) -> dict[str, Any]:
    """The backend as it is, with what may change as `given` says."""
    kept = {key: value for key, value in backend.get("cdnPolicy", {}).items() if key not in _TTLS}
    compression = "AUTOMATIC" if given["compression"] else "DISABLED"
    return {**backend, "cdnPolicy": kept | _policy(given), "compressionMode": compression}


def backend_part(name: str, given: Json, url: Callable[[str], str]) -> Part:
    if given["bucket"] is not None:
        body = {"name": name, "bucketName": given["bucket"], "enableCdn": True}
        return Part(BUCKETS, f"global/{BUCKETS}", cached_as(body, given))
    body = {
        "name": name,
        "protocol": given["origin_protocol"].upper(),
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "backends": [{"group": url(f"global/networkEndpointGroups/{name}")}],
        "enableCDN": True,
    }
    if not _is_address(given["origin"]):
        body["customRequestHeaders"] = [f"Host: {given['origin']}"]
    return Part(SERVICES, f"global/{SERVICES}", cached_as(body, given))


def _policy(given: Json) -> dict[str, Any]:
    """A year's TTL needs a larger maximum than Google's day; only where types decide a maximum may be said."""
    policy: dict[str, Any] = {"cacheMode": _MODES[given["cache"]]}
    if given["cache"] == "origin_headers":
        return policy
    wanted_s = given["default_ttl_s"]
    ttl_s = _DEFAULT_TTL_S if wanted_s is None else wanted_s
    policy |= {"defaultTtl": ttl_s, "clientTtl": ttl_s}
    return policy | ({"maxTtl": max(_MAX_TTL_S, ttl_s)} if given["cache"] == "static" else {})


def asset_of(chain: Chain, endpoint: Json | None, identifier: str) -> Asset:
    """`endpoint`: the server of an endpoint group; None of anything else."""
    backend = chain.backend
    policy = backend.get("cdnPolicy") or {}
    configuration: dict[str, Any] = {
        "bucket": backend.get("bucketName"),
        "origin": None if endpoint is None else endpoint.get("fqdn") or endpoint.get("ipAddress"),
        "domains": domains_of(chain),
        "cache": _CACHES.get(policy.get("cacheMode", "")),
        "default_ttl_s": policy.get("defaultTtl"),
        "compression": backend.get("compressionMode") == "AUTOMATIC",
    }
    if chain.backend_kind == SERVICES:
        configuration["origin_protocol"] = str(backend.get("protocol", "")).lower()
    return shown(chain, identifier, configuration, {}, _links(configuration))


def _links(configuration: Json) -> tuple[AssetLink, ...]:
    """None for a backend of instances, which is not of our making."""
    if configuration["bucket"]:
        return (AssetLink("origin", f"storage:{configuration['bucket']}", hard=True),)
    if configuration["origin"]:
        return (AssetLink("origin", f"address:{configuration['origin']}", hard=True),)
    return ()


def group_of(backend: Json) -> str | None:
    """The name of the internet endpoint group that is behind a backend service; None for anything else."""
    groups = [str(each.get("group", "")) for each in backend.get("backends", [])]
    found = [each for each in groups if "/global/networkEndpointGroups/" in each]
    return last_part(found[0]) if found else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
