"""What do we say to the parts of a CDN, and what do they say of it?

Sources: "Caching overview" (cloud.google.com/cdn/docs/caching) for what a cache mode lets be said of TTLs, "Set up an
external backend with an internet NEG" for the Host header that the origin has to be given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, AssetState
from shared.clouds.gcp.addresses import in_utc_or_none, last_part
from shared.clouds.gcp.assets import Json
from shared.clouds.gcp.forwarding_rules import tags_of

SERVICES, BUCKETS = "backendServices", "backendBuckets"
_MODES = {"static": "CACHE_ALL_STATIC", "origin_headers": "USE_ORIGIN_HEADERS", "all": "FORCE_CACHE_ALL"}
_CACHES = {mode: name for name, mode in _MODES.items()}
_RULES, _RULE_PATH, _REDIRECT = "globalForwardingRules", "global/forwardingRules", "-redirect"
_TTLS = ("clientTtl", "defaultTtl", "maxTtl")
_DEFAULT_TTL_S, _MAX_TTL_S = 3600, 86400
_PORTS = {"https": 443, "http": 80}


class Chain(NamedTuple):
    """Of one forwarding rule: what it leads to, as far as it is there. `backend_kind` is one of the two above."""

    rule: Json
    backend_kind: str
    backend: Json
    endpoint: Json | None
    certificates: list[Json]


class Part(NamedTuple):
    """What is to be inserted: Google's name of the API, the collection's path from the project on, the body."""

    api: str
    path: str
    body: dict[str, Any]


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


def parts(name: str, given: Json, description: str, url: Callable[[str], str]) -> list[Part]:
    """All behind which the endpoint group is, the rule last. `url` makes an address of a path."""
    backend = _backend(name, given, url)
    urls = Part("urlMaps", "global/urlMaps", {"name": name, "defaultService": url(f"{backend.path}/{name}")})
    if not given["domains"]:
        rule = _rule(name, "targetHttpProxies", url) | {"description": description}
        return [backend, urls, _proxy(name, url), Part(_RULES, _RULE_PATH, rule)]
    certificate = {"name": name, "type": "MANAGED", "managed": {"domains": list(given["domains"])}}
    proxy = {
        **_proxy(name, url).body,
        "sslCertificates": [url(f"global/sslCertificates/{name}")],
        "sslPolicy": url(f"global/sslPolicies/{name}"),
    }
    address = {"IPAddress": url(f"global/addresses/{name}")}
    rule = _rule(name, "targetHttpsProxies", url) | address | {"description": description}
    return [
        backend,
        urls,
        Part("sslCertificates", "global/sslCertificates", certificate),
        Part("sslPolicies", "global/sslPolicies", {"name": name, "profile": "MODERN", "minTlsVersion": "TLS_1_2"}),
        Part("targetHttpsProxies", "global/targetHttpsProxies", proxy),
        Part("globalAddresses", "global/addresses", {"name": name, "ipVersion": "IPV4"}),
        *_redirect(name + _REDIRECT, address, url),
        Part(_RULES, _RULE_PATH, rule),
    ]


def _redirect(name: str, address: Json, url: Callable[[str], str]) -> list[Part]:
    """What sends those who come by HTTP to HTTPS, at the same address."""
    wanted = {"httpsRedirect": True, "stripQuery": False, "redirectResponseCode": "MOVED_PERMANENTLY_DEFAULT"}
    rule = _rule(name, "targetHttpProxies", url) | dict(address)
    return [
        Part("urlMaps", "global/urlMaps", {"name": name, "defaultUrlRedirect": wanted}),
        _proxy(name, url),
        Part(_RULES, _RULE_PATH, rule),
    ]


def _proxy(name: str, url: Callable[[str], str]) -> Part:
    body = {"name": name, "urlMap": url(f"global/urlMaps/{name}")}
    return Part("targetHttpProxies", "global/targetHttpProxies", body)


def _rule(name: str, proxies: str, url: Callable[[str], str]) -> dict[str, Any]:
    port = 443 if proxies == "targetHttpsProxies" else 80
    return {
        "name": name,
        "IPProtocol": "TCP",
        "portRange": f"{port}-{port}",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "target": url(f"global/{proxies}/{name}"),
    }


def names_of_parts(name: str) -> list[tuple[str, str]]:
    """All that may stand behind the rule, in the order in which one after another is used by nothing any more."""
    redirect = name + _REDIRECT
    plain = (
        "targetHttpsProxies", "targetHttpProxies", "sslCertificates", "sslPolicies", "urlMaps", SERVICES, BUCKETS,
    )  # fmt: skip
    return [
        (_RULES, f"{_RULE_PATH}/{redirect}"),
        ("targetHttpProxies", f"global/targetHttpProxies/{redirect}"),
        ("urlMaps", f"global/urlMaps/{redirect}"),
        *((kind, f"global/{kind}/{name}") for kind in plain),
        ("globalNetworkEndpointGroups", f"global/networkEndpointGroups/{name}"),
        ("globalAddresses", f"global/addresses/{name}"),
    ]


def cached_as(backend: Json, given: Json) -> dict[str, Any]:
    """The backend as it is, with what may change as `given` says."""
    kept = {key: value for key, value in backend.get("cdnPolicy", {}).items() if key not in _TTLS}
    compression = "AUTOMATIC" if given["compression"] else "DISABLED"
    return {**backend, "cdnPolicy": kept | _policy(given), "compressionMode": compression}


def _backend(name: str, given: Json, url: Callable[[str], str]) -> Part:
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


def asset_of(chain: Chain, identifier: str) -> Asset:
    rule, backend = chain.rule, chain.backend
    policy = backend.get("cdnPolicy") or {}
    domains = sorted({each for found in chain.certificates for each in _domains(found)})
    configuration: dict[str, Any] = {
        "bucket": backend.get("bucketName"),
        "origin": None if chain.endpoint is None else chain.endpoint.get("fqdn") or chain.endpoint.get("ipAddress"),
        "domains": domains,
        "cache": _CACHES.get(policy.get("cacheMode", "")),
        "default_ttl_s": policy.get("defaultTtl"),
        "compression": backend.get("compressionMode") == "AUTOMATIC",
    }
    if chain.backend_kind == SERVICES:
        configuration["origin_protocol"] = str(backend.get("protocol", "")).lower()
    return Asset(
        id=identifier,
        name=(domains or [rule["name"]])[0],
        state=AssetState.RUNNING,  # a forwarding rule has no state: it forwards
        region=GLOBAL_REGION,
        tags=tags_of(rule),
        configuration=configuration,
        facts={
            "certificates": {each["name"]: (each.get("managed") or {}).get("status") for each in chain.certificates},
            "protocol": "https" if "/targetHttpsProxies/" in str(rule.get("target")) else "http",
            "scheme": rule.get("loadBalancingScheme"),
        },
        links=_links(configuration),
        address=rule.get("IPAddress"),
        created_at=in_utc_or_none(rule.get("creationTimestamp", "")),
    )


def _links(configuration: Json) -> tuple[AssetLink, ...]:
    """None for a backend of instances, which is not of our making."""
    if configuration["bucket"]:
        return (AssetLink("origin", f"storage:{configuration['bucket']}", hard=True),)
    if configuration["origin"]:
        return (AssetLink("origin", f"address:{configuration['origin']}", hard=True),)
    return ()


def _domains(certificate: Json) -> list[str]:
    found: Mapping[str, Any] = certificate.get("managed") or {}
    return list(found.get("domains") or certificate.get("subjectAlternativeNames") or [])


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
