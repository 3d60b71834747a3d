"""What are global load balancers of the simulated Google Cloud, with Cloud CDN? Eleven kinds that refer to each other.

A rule leads to a proxy, a proxy to a URL map (and a certificate), that to a backend, a backend to a bucket, to an
endpoint group of the Internet, or to groups of machines and what checks these. Nothing is made that refers to what is
not there, and nothing goes while something refers to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from deploy.local.clouds.gcp import labels
from deploy.local.clouds.gcp.backends import CHECK, GROUP, bucket, check, one_of, service
from deploy.local.clouds.gcp.errors import already_exists, in_use, invalid, not_found
from deploy.local.clouds.gcp.instances import fingerprint
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.machine_groups import SERVICE
from deploy.local.clouds.gcp.operations import Change, accepted, failed_on_demand, once
from deploy.local.clouds.gcp.places import number_of, stamp, url
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

_SHARE = 0.002
_SINGULARS = {
    "addresses": "address", "sslPolicies": "sslPolicy", "targetHttpProxies": "targetHttpProxy",
    "targetHttpsProxies": "targetHttpsProxy",
}  # fmt: skip
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]+")


@dataclass(frozen=True)
class Kind:
    """`word` is the simulator's; `references` are fields that hold an address, or a list of them."""

    collection: str
    api: str
    word: str
    checked: Callable[[Call, dict[str, Any]], dict[str, Any]]
    references: tuple[str, ...] = ()
    updated: str = ""

    @property
    def kind(self) -> str:
        return f"compute#{_SINGULARS.get(self.collection, self.collection.removesuffix('s'))}"

    @property
    def list_kind(self) -> str:
        return "compute#sslPoliciesList" if self.word == POLICY else f"{self.kind}List"


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}/global/"
    found = []
    for each in KINDS.values():
        path, one = base + each.collection, f"{base}{each.collection}/{{name}}"
        found += [
            Action("POST", path, f"{each.api}.insert", once(partial(_insert, each))),
            Action("GET", path, f"{each.api}.list", partial(_list, each)),
            Action("GET", one, f"{each.api}.get", partial(_get, each)),
            Action("DELETE", one, f"{each.api}.delete", once(partial(_delete, each))),
        ]
        if each.updated:
            found.append(Action(each.updated, one, f"{each.api}.update", once(partial(_update, each))))
    rule, group = base + "forwardingRules/{name}", base + "networkEndpointGroups/{name}"
    api = "globalNetworkEndpointGroups"
    return [
        *found,
        Action("POST", f"{rule}/setLabels", "globalForwardingRules.setLabels", once(_set_labels)),
        Action("POST", f"{group}/attachNetworkEndpoints", f"{api}.attachNetworkEndpoints", once(_attach)),
        Action("POST", f"{group}/detachNetworkEndpoints", f"{api}.detachNetworkEndpoints", once(_detach)),
        Action("POST", f"{group}/listNetworkEndpoints", f"{api}.listNetworkEndpoints", _endpoints, mutates=False),
    ]


def _insert(kind: Kind, call: Call) -> Answer:
    body = call.document()
    if not _NAME.fullmatch(str(body.get("name", ""))):
        raise invalid("resource.name", body.get("name"), "Must be a match of regex '[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?'")
    path = f"global/{kind.collection}/{body['name']}"
    if call.get(kind.word, path) is not None:
        raise already_exists(f"projects/{call.account.account_id}/{path}")
    number = number_of(path, str(call.things.last_number + 1))
    text, made_at = str(body.get("description", "")), stamp(call.now_s)
    common = {"name": body["name"], "id": number, "description": text, "creationTimestamp": made_at}
    facts = {**common, **kind.checked(call, body)}
    error = failed_on_demand(call, path)
    if error is None:
        call.new(kind.word, path, "READY", facts)
    return accepted(call, Change("insert", path, number, _SHARE if kind.word == RULE else 0.0, error))


def _list(kind: Kind, call: Call) -> Answer:
    rows = [_render(call, kind, each) for each in call.list(kind.word)]
    return listed(call, kind.list_kind, f"global/{kind.collection}", rows)


def _get(kind: Kind, call: Call) -> Answer:
    return Answer(200, _render(call, kind, _need(call, kind)))


def _update(kind: Kind, call: Call) -> Answer:
    """The whole of it anew; a version that is named must be the present one."""
    known, body = _need(call, kind), call.document()
    shown = _render(call, kind, known).get("fingerprint")
    if shown is not None and body.get("fingerprint") != shown:
        raise Refusal("invalid", "Invalid fingerprint.", code="conditionNotMet", status=412)
    kept = {name: known.facts[name] for name in ("name", "id", "creationTimestamp")}
    known.facts = {**kept, "description": str(body.get("description", "")), **kind.checked(call, body)}
    call.save(known)
    return accepted(call, Change("update", known.id, known.facts["id"], 0.0))


def _delete(kind: Kind, call: Call) -> Answer:
    known = _need(call, kind)
    for other in KINDS.values():
        for each in call.list(other.word):
            if known.id in _referred(other, each.facts):
                account = call.account.account_id
                raise in_use(f"projects/{account}/{known.id}", f"projects/{account}/{each.id}")
    call.things.remove(known)
    return accepted(call, Change("delete", known.id, known.facts["id"], 0.0))


def _render(call: Call, kind: Kind, thing: Thing) -> dict[str, Any]:
    shown = {name: value for name, value in thing.facts.items() if name not in {"endpoints", "reserved"}}
    for name in kind.references:
        if name in shown:
            value = shown[name]
            shown[name] = [url(call, each) for each in value] if isinstance(value, list) else url(call, value)
    if kind.word == SERVICE:
        groups = [{**each, "group": url(call, each["group"])} for each in shown.pop("backends")]
        shown |= {"backends": groups} if groups else {}
    if kind.word == GROUP:
        shown["size"] = len(thing.facts["endpoints"])
    if kind.word == ADDRESS:
        used = [each.id for each in call.list(RULE) if each.facts["reserved"] == thing.id]
        shown["status"] = "IN_USE" if used else "RESERVED"
        shown |= {"users": [url(call, each) for each in used]} if used else {}
    if kind.word == RULE:
        shown["labelFingerprint"] = fingerprint(thing.facts["labels"])
    if kind.word in {SERVICE, URLS, TLS_PROXY, POLICY, RULE}:
        shown["fingerprint"] = fingerprint(thing.facts)
    return {**shown, "kind": kind.kind, "selfLink": url(call, thing.id)}


def _referred(kind: Kind, facts: Mapping[str, Any]) -> Iterator[str]:
    for name in kind.references:
        value = facts.get(name, [])
        yield from value if isinstance(value, list) else [value]
    yield from (each["group"] for each in facts.get("backends", []))
    yield facts.get("reserved") or ""


def _group(_: Call, body: dict[str, Any]) -> dict[str, Any]:
    kind = body.get("networkEndpointType")
    if kind not in {"INTERNET_FQDN_PORT", "INTERNET_IP_PORT"}:
        raise invalid("resource.networkEndpointType", kind, "A global group is one of the Internet.")
    return {"networkEndpointType": kind, "defaultPort": int(body.get("defaultPort") or 443), "endpoints": []}


def _address(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    version = body.get("ipVersion") or "IPV4"
    if version != "IPV4":
        raise invalid("resource.ipVersion", version, "IPv4 only, here.")
    address = _ip_address(str(body["name"]), str(call.things.last_number))
    return {"address": address, "addressType": "EXTERNAL", "networkTier": "PREMIUM", "ipVersion": version}


def _ip_address(*parts: str) -> str:
    number = int(number_of(*parts))
    return f"35.{190 + number % 2}.{number // 2 % 256}.{1 + number // 512 % 254}"


def _urls(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """To a backend, or elsewhere."""
    address, redirect = body.get("defaultService"), body.get("defaultUrlRedirect")
    if address is None and redirect is not None:
        return {"defaultUrlRedirect": dict(redirect)}
    return {"defaultService": one_of(call, address, "resource.defaultService", SERVICE, BACKEND_BUCKET)}


def _certificate(_: Call, body: dict[str, Any]) -> dict[str, Any]:
    """One that Google manages is PROVISIONING until its domains lead here, which they never do."""
    domains = (body.get("managed") or {}).get("domains") or []
    if body.get("type") != "MANAGED" or not 1 <= len(domains) <= 100:
        raise invalid("resource.managed.domains", domains, "A managed certificate has 1 to 100 domains.")
    for each in domains:
        if not _DOMAIN.fullmatch(each):
            raise invalid("resource.managed.domains", each, "Is not a domain.")
    status = dict.fromkeys(domains, "PROVISIONING")
    return {"type": "MANAGED", "managed": {"domains": domains, "status": "PROVISIONING", "domainStatus": status}}


def _policy(_: Call, body: dict[str, Any]) -> dict[str, Any]:
    profile, version = body.get("profile") or "COMPATIBLE", body.get("minTlsVersion") or "TLS_1_0"
    if profile not in {"COMPATIBLE", "MODERN", "RESTRICTED"} or version not in {"TLS_1_0", "TLS_1_1", "TLS_1_2"}:
        raise invalid("resource.profile", profile, "The profile or the version is unknown.")
    return {"profile": profile, "minTlsVersion": version}


def _proxy(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    return {"urlMap": one_of(call, body.get("urlMap"), "resource.urlMap", URLS)}


def _tls_proxy(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    certificates = body.get("sslCertificates") or []
    if not 1 <= len(certificates) <= 15:
        raise invalid("resource.sslCertificates", certificates, "1 to 15 certificates are needed.")
    found = [one_of(call, each, "resource.sslCertificates[0]", CERTIFICATE) for each in certificates]
    policy = body.get("sslPolicy")
    more = {} if policy is None else {"sslPolicy": one_of(call, policy, "resource.sslPolicy", POLICY)}
    return {**_proxy(call, body), "sslCertificates": found, **more, "quicOverride": "NONE"}


def _rule(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    target = one_of(call, body.get("target"), "resource.target", PROXY, TLS_PROXY)
    first = str(body.get("portRange", "")).partition("-")[0]
    if not first.isdecimal() or ("targetHttpsProxies" in target and first != "443"):
        raise invalid("resource.portRange", body.get("portRange"), "Invalid port range for the target.")
    scheme, reserved = body.get("loadBalancingScheme") or "EXTERNAL", body.get("IPAddress")
    path = None if reserved is None else one_of(call, reserved, "resource.IPAddress", ADDRESS)
    known = None if path is None else call.get(ADDRESS, path)
    address = _ip_address(target, str(call.things.last_number)) if known is None else known.facts["address"]
    taken = {(each.facts["IPAddress"], each.facts["portRange"]) for each in call.list(RULE)}
    if (address, f"{first}-{first}") in taken:
        raise invalid("resource.IPAddress", address, "Another rule has this address and port.")
    return {
        "IPAddress": address,
        "reserved": path,
        "IPProtocol": "TCP",
        "portRange": f"{first}-{first}",
        "loadBalancingScheme": scheme,
        "networkTier": "PREMIUM",
        "labels": {},  # only setLabels sets them, whatever an insert says
        "target": target,
    }


def _set_labels(call: Call) -> Answer:
    rule, body = _need(call, KINDS[RULE]), call.document()
    if body.get("labelFingerprint") != fingerprint(rule.facts["labels"]):
        message = "Supplied fingerprint does not match current labelFingerprint."
        raise Refusal("invalid", message, code="conditionNotMet", status=412)
    rule.facts["labels"] = labels.patched({}, body.get("labels", {}))
    call.save(rule)
    return accepted(call, Change("setLabels", rule.id, rule.facts["id"], 0.0))


def _attach(call: Call) -> Answer:
    """One endpoint is all that a global group has; attaching it again changes nothing."""
    group = _need(call, KINDS[GROUP])
    part = "fqdn" if group.facts["networkEndpointType"] == "INTERNET_FQDN_PORT" else "ipAddress"
    for each in call.document().get("networkEndpoints", []):
        endpoint = {part: each.get(part), "port": int(each.get("port") or group.facts["defaultPort"])}
        if not endpoint[part]:
            raise invalid(f"networkEndpoints[0].{part}", each.get(part), f"A {part} is needed.")
        if group.facts["endpoints"] not in ([], [endpoint]):
            raise invalid("networkEndpoints", endpoint, "The group has an endpoint, and one is all that it can have.")
        group.facts["endpoints"] = [endpoint]
    call.save(group)
    return accepted(call, Change("attachNetworkEndpoints", group.id, group.facts["id"], 0.0))


def _detach(call: Call) -> Answer:
    group = _need(call, KINDS[GROUP])
    gone = call.document().get("networkEndpoints", [])
    group.facts["endpoints"] = [each for each in group.facts["endpoints"] if each not in gone]
    call.save(group)
    return accepted(call, Change("detachNetworkEndpoints", group.id, group.facts["id"], 0.0))


def _endpoints(call: Call) -> Answer:
    found = [{"networkEndpoint": each} for each in _need(call, KINDS[GROUP]).facts["endpoints"]]
    return Answer(200, {"kind": "compute#networkEndpointGroupsListNetworkEndpoints", "items": found})


def _need(call: Call, kind: Kind) -> Thing:
    path = f"global/{kind.collection}/{call.path['name']}"
    found = call.get(kind.word, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return found


BACKEND_BUCKET, URLS = "backend_bucket", "url_map"
CERTIFICATE, POLICY, PROXY, TLS_PROXY = "ssl_certificate", "ssl_policy", "target_http_proxy", "target_https_proxy"
RULE, ADDRESS = "global_forwarding_rule", "global_address"
KINDS: Mapping[str, Kind] = {
    each.word: each
    for each in (
        Kind("networkEndpointGroups", "globalNetworkEndpointGroups", GROUP, _group),
        Kind("healthChecks", "healthChecks", CHECK, check, updated="PUT"),
        Kind("backendServices", "backendServices", SERVICE, service, ("healthChecks",), updated="PUT"),
        Kind("backendBuckets", "backendBuckets", BACKEND_BUCKET, bucket, updated="PUT"),
        Kind("addresses", "globalAddresses", ADDRESS, _address),
        Kind("urlMaps", "urlMaps", URLS, _urls, ("defaultService",)),
        Kind("sslCertificates", "sslCertificates", CERTIFICATE, _certificate),
        Kind("sslPolicies", "sslPolicies", POLICY, _policy),
        Kind("targetHttpProxies", "targetHttpProxies", PROXY, _proxy, ("urlMap",)),
        Kind(
            "targetHttpsProxies",
            "targetHttpsProxies",
            TLS_PROXY,
            _tls_proxy,
            ("urlMap", "sslCertificates", "sslPolicy"),
        ),
        Kind("forwardingRules", "globalForwardingRules", RULE, _rule, ("target",)),
    )
}
