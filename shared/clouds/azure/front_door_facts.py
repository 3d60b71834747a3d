"""What do we say to the parts of a Front Door profile, and what do they say of it?

Sources: Microsoft.Cdn of the REST reference, 2026-10-01; "Use managed identities to authenticate to origins" for what
must be HTTPS where an identity is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, AssetState
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.assets import state_of

Json = Mapping[str, Any]

SKU = "Standard_AzureFrontDoor"
SKUS = (SKU, "Premium_AzureFrontDoor")
ORIGINS, ROUTE, RULES = "origins", "default", "storage"
ORIGIN_PATH = f"originGroups/{ORIGINS}/origins/origin"
_BLOB_SCOPE = "https://storage.azure.com/.default"
_BLOB_VERSION = "2023-11-03"
"""Of the protocol of blobs: one that knows identities has to be named (learn.microsoft.com, "Versioning for Azure
Storage")."""
_PROBE_EVERY_S = 255
"""The longest: an origin alone is asked whatever its health is."""
_QUERIES = {"ignore_query": "IgnoreQueryString", "by_query": "UseQueryString"}
_CACHES = {word: name for name, word in _QUERIES.items()}
_COMPRESSED = [
    "application/javascript", "application/json", "application/xml", "font/otf", "font/ttf", "image/svg+xml",
    "text/css", "text/html", "text/javascript", "text/plain", "text/xml",
]  # fmt: skip
_PORTS = {"HttpsOnly": "https", "HttpOnly": "http"}


class Part(NamedTuple):
    """What is put below the profile: Azure's name of the operations, the path from the profile on, the body."""

    api: str
    path: str
    body: dict[str, Any]


class Whole(NamedTuple):
    """A profile and what it consists of; of endpoints, routes and origins the first."""

    profile: Json
    endpoint: Json | None
    route: Json | None
    origin: Json | None
    domains: Sequence[Json]


def profile_body(tags: Mapping[str, str], *, is_before_account: bool) -> dict[str, Any]:
    """With an identity where blobs are to be read by it."""
    body: dict[str, Any] = {"location": GLOBAL_REGION, "tags": dict(tags), "sku": {"name": SKU}, "properties": {}}
    return body | ({"identity": {"type": "SystemAssigned"}} if is_before_account else {})


def parts(profile_id: str, given: Json, host: str) -> list[Part]:
    """All below the profile, in the order in which they stand on each other: the route is last."""
    name, account = profile_id.rpartition("/")[2], given["storage_account_id"]
    group: dict[str, Any] = {
        "loadBalancingSettings": {
            "sampleSize": 4, "successfulSamplesRequired": 3, "additionalLatencyInMilliseconds": 50,
        }
    }  # fmt: skip
    rules: list[Part] = []
    if account is not None:
        group["healthProbeSettings"] = {
            "probePath": "/", "probeRequestType": "HEAD", "probeProtocol": "Https",
            "probeIntervalInSeconds": _PROBE_EVERY_S,
        }  # fmt: skip
        group["authentication"] = {"type": "SystemAssignedIdentity", "scope": _BLOB_SCOPE}
        rules = [
            Part("rule_sets", f"ruleSets/{RULES}", {"properties": {}}),
            Part("rules", f"ruleSets/{RULES}/rules/version", {"properties": _versioned()}),
        ]
    return [
        Part("afd_endpoints", f"afdEndpoints/{name}",
             {"location": GLOBAL_REGION, "properties": {"enabledState": "Enabled"}}),
        Part("afd_origin_groups", f"originGroups/{ORIGINS}", {"properties": group}),
        Part("afd_origins", ORIGIN_PATH, {"properties": _origin(given, host)}),
        *rules,
        *(domain_part(each) for each in given["domains"]),
        Part("routes", route_path(name), {"properties": _route(profile_id, given)}),
    ]  # fmt: skip


def route_path(name: str) -> str:
    """Of a profile of this name, which its endpoint has too."""
    return f"afdEndpoints/{name}/routes/{ROUTE}"


def domain_part(domain: str) -> Part:
    """Named as the domain is, whose dots no name takes."""
    body = {
        "properties": {
            "hostName": domain,
            "tlsSettings": {"certificateType": "ManagedCertificate", "minimumTlsVersion": "TLS12"},
        }
    }
    return Part("afd_custom_domains", f"customDomains/{domain_name(domain)}", body)


def domain_name(domain: str) -> str:
    return domain.replace("-", "--").replace(".", "-")


def routed_as(route: Json, given: Json, domain_ids: Sequence[str]) -> dict[str, Any]:
    """The properties of a route as they are, with what may change as `given` says."""
    unchanged = {key: value for key, value in route["properties"].items() if key not in _TOLD_ONLY}
    return unchanged | _routing(given) | {"customDomains": [{"id": each} for each in domain_ids]}


_TOLD_ONLY = ("deploymentStatus", "endpointName", "provisioningState", "cacheConfiguration", "originPath")
"""What Azure tells of a route and is not told; and what is left out when it is to be nothing."""


def _origin(given: Json, host: str) -> dict[str, Any]:
    origin: dict[str, Any] = {
        "hostName": host,
        "httpPort": 80,
        "httpsPort": 443,
        "priority": 1,
        "weight": 1000,
        "enabledState": "Enabled",
        "enforceCertificateNameCheck": True,
    }
    if given["origin_protocol"] == "https":
        origin["originHostHeader"] = host
    if given["storage_account_id"] is not None:
        origin["azureOrigin"] = {"id": given["storage_account_id"]}
    return origin


def _versioned() -> dict[str, Any]:
    parameters = {
        "typeName": "DeliveryRuleHeaderActionParameters",
        "headerAction": "Overwrite",
        "headerName": "x-ms-version",
        "value": _BLOB_VERSION,
    }
    return {"order": 1, "actions": [{"name": "ModifyRequestHeader", "parameters": parameters}]}


def _route(profile_id: str, given: Json) -> dict[str, Any]:
    protocol = next(word for word, name in _PORTS.items() if name == given["origin_protocol"])
    rules = [{"id": f"{profile_id}/ruleSets/{RULES}"}] if given["storage_account_id"] is not None else []
    return {
        "originGroup": {"id": f"{profile_id}/originGroups/{ORIGINS}"},
        "ruleSets": rules,
        "supportedProtocols": ["Http", "Https"],
        "patternsToMatch": ["/*"],
        "forwardingProtocol": protocol,
        "linkToDefaultDomain": "Enabled",
        "httpsRedirect": "Enabled",
        "enabledState": "Enabled",
        "customDomains": [{"id": f"{profile_id}/customDomains/{domain_name(each)}"} for each in given["domains"]],
        **_routing(given),
    }


def _routing(given: Json) -> dict[str, Any]:
    found: dict[str, Any] = {"originPath": given["origin_path"]} if given["origin_path"] else {}
    if given["cache"] != "disabled":
        found["cacheConfiguration"] = {
            "queryStringCachingBehavior": _QUERIES[given["cache"]],
            "compressionSettings": {"isCompressionEnabled": True, "contentTypesToCompress": _COMPRESSED},
        }
    return found


def account_of(origin: Json | None) -> str | None:
    """The storage account that an origin is."""
    reference = ((origin or {"properties": {}})["properties"].get("azureOrigin") or {}).get("id") or ""
    return names.canonical(reference) if f"/{names.STORAGE_ACCOUNT}/".lower() in reference.lower() else None


def asset_of(whole: Whole) -> Asset:
    profile, domains = whole.profile, sorted(str(each["properties"]["hostName"]) for each in whole.domains)
    endpoint = {} if whole.endpoint is None else whole.endpoint["properties"]
    return Asset(
        id=names.canonical(profile["id"]),
        name=(domains or [profile["name"]])[0],
        state=_state(profile, endpoint),
        region=GLOBAL_REGION,
        tags=azure_tags.from_azure(profile.get("tags")),
        configuration=_configuration(whole, domains),
        facts={
            "sku": (profile.get("sku") or {}).get("name"),
            "front_door_id": profile["properties"].get("frontDoorId"),
            "domain_validation": {str(each["properties"]["hostName"]): _validation(each) for each in whole.domains},
        },
        links=_links(whole),
        address=endpoint.get("hostName"),
    )


def _state(profile: Json, endpoint: Json) -> AssetState:
    """One without an endpoint is just there: it serves nothing (yet)."""
    serving = AssetState.RUNNING if endpoint.get("enabledState") == "Enabled" else AssetState.STOPPED
    return state_of(profile["properties"], serving if endpoint else AssetState.AVAILABLE)


def _configuration(whole: Whole, domains: list[str]) -> dict[str, Any]:
    """A fact of a part that is not there is left out."""
    told: dict[str, Any] = {"domains": domains}
    if whole.origin is not None:
        account = account_of(whole.origin)
        host = str(whole.origin["properties"].get("hostName") or "").lower()
        told |= {"storage_account_id": account, "origin": None if account else host}
    if whole.route is not None:
        properties = whole.route["properties"]
        kept = properties.get("cacheConfiguration")
        told |= {
            "origin_protocol": _PORTS.get(properties.get("forwardingProtocol", "")),
            "origin_path": properties.get("originPath") or "",
            "cache": _CACHES.get(kept.get("queryStringCachingBehavior", "")) if kept else "disabled",
        }
    return told


def _validation(domain: Json) -> dict[str, Any]:
    """The token is no secret: it stands in a public TXT record."""
    properties = domain["properties"]
    return {
        "state": properties.get("domainValidationState"),
        "token": (properties.get("validationProperties") or {}).get("validationToken"),
    }


def _links(whole: Whole) -> tuple[AssetLink, ...]:
    account = account_of(whole.origin)
    if account is not None:
        return (AssetLink("origin", f"storage:{account}", hard=True),)
    host = str((whole.origin or {"properties": {}})["properties"].get("hostName") or "").lower()
    return (AssetLink("origin", f"address:{host}", hard=True),) if host else ()
