"""What stands between an address and a backend at Google Cloud: forwarding rule, proxy, certificate, URL map?

A CDN and an application load balancer are the same up to here; what they differ in is behind the URL map. Source:
"External Application Load Balancer overview" (cloud.google.com/load-balancing/docs/https).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, AssetState
from shared.clouds.gcp.addresses import in_utc_or_none, last_part
from shared.clouds.gcp.assets import Json
from shared.clouds.gcp.forwarding_rules import tags_of

SERVICES, BUCKETS = "backendServices", "backendBuckets"
PROXIES = ("targetHttpProxies", "targetHttpsProxies")
_RULES, _RULE_PATH, _REDIRECT = "globalForwardingRules", "global/forwardingRules", "-redirect"


class Chain(NamedTuple):
    """Of one forwarding rule: what it leads to, as far as it is there. `backend_kind` is one of the two above."""

    rule: Json
    backend_kind: str
    backend: Json
    certificates: list[Json]


class Part(NamedTuple):
    """What is to be inserted: Google's name of the API, the collection's path from the project on, the body."""

    api: str
    path: str
    body: dict[str, Any]


def parts(name: str, backend: str, domains: Sequence[str], description: str, url: Callable[[str], str]) -> list[Part]:
    """All before `backend` (a path), the rule last. `url` makes an address of a path."""
    urls = Part("urlMaps", "global/urlMaps", {"name": name, "defaultService": url(backend)})
    if not domains:
        rule = _rule(name, "targetHttpProxies", url) | {"description": description}
        return [urls, _proxy(name, url), Part(_RULES, _RULE_PATH, rule)]
    certificate = {"name": name, "type": "MANAGED", "managed": {"domains": list(domains)}}
    proxy = {
        **_proxy(name, url).body,
        "sslCertificates": [url(f"global/sslCertificates/{name}")],
        "sslPolicy": url(f"global/sslPolicies/{name}"),
    }
    address = {"IPAddress": url(f"global/addresses/{name}")}
    rule = _rule(name, "targetHttpsProxies", url) | address | {"description": description}
    return [
        urls,
        Part("sslCertificates", "global/sslCertificates", certificate),
        Part("sslPolicies", "global/sslPolicies", {"name": name, "profile": "MODERN", "minTlsVersion": "TLS_1_2"}),
        Part("targetHttpsProxies", "global/targetHttpsProxies", proxy),
        Part("globalAddresses", "global/addresses", {"name": name, "ipVersion": "IPV4"}),
        *_redirect(name + _REDIRECT, address, url),
        Part(_RULES, _RULE_PATH, rule),
    ]


def names_of_parts(name: str) -> list[tuple[str, str]]:
    """All that may stand behind the rule and before the backend, in the order in which one after another is used by
    nothing any more.
    """
    redirect = name + _REDIRECT
    plain = ("targetHttpsProxies", "targetHttpProxies", "sslCertificates", "sslPolicies", "urlMaps")
    return [
        (_RULES, f"{_RULE_PATH}/{redirect}"),
        ("targetHttpProxies", f"global/targetHttpProxies/{redirect}"),
        ("urlMaps", f"global/urlMaps/{redirect}"),
        *((kind, f"global/{kind}/{name}") for kind in plain),
        ("globalAddresses", f"global/addresses/{name}"),
    ]


def domains_of(chain: Chain) -> list[str]:
    return sorted({each for found in chain.certificates for each in _domains(found)})


def shown(
    chain: Chain, identifier: str, configuration: dict[str, Any], facts: Json, links: tuple[AssetLink, ...]
) -> Asset:
    """The whole as a thing of the inventory; `facts` and `links`: those of what is behind the URL map."""
    rule, domains = chain.rule, domains_of(chain)
    return Asset(
        id=identifier,
        name=(domains or [rule["name"]])[0],
        state=AssetState.RUNNING,  # a forwarding rule has no state: it forwards
        region=GLOBAL_REGION,
        tags=tags_of(rule),
        configuration=configuration,
        facts={**_facts_of(chain), **facts},
        links=links,
        address=rule.get("IPAddress"),
        created_at=in_utc_or_none(rule.get("creationTimestamp", "")),
    )


def _facts_of(chain: Chain) -> dict[str, Any]:
    return {
        "certificates": {each["name"]: (each.get("managed") or {}).get("status") for each in chain.certificates},
        "protocol": "https" if "/targetHttpsProxies/" in str(chain.rule.get("target")) else "http",
        "scheme": chain.rule.get("loadBalancingScheme"),
    }


def collection_of(address: object) -> tuple[str, str]:
    """The collection and the name in an address; empty for none."""
    path = str(address or "")
    return last_part(path.rpartition("/")[0]), last_part(path)


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


def _domains(certificate: Json) -> list[str]:
    found: Mapping[str, Any] = certificate.get("managed") or {}
    return list(found.get("domains") or certificate.get("subjectAlternativeNames") or [])
