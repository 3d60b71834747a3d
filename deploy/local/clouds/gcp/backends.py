"""What do global load balancers of the simulated Google Cloud stand on: backend services and buckets, health checks?"""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.gcp import machine_groups
from deploy.local.clouds.gcp.errors import invalid
from deploy.local.clouds.gcp.storage import BUCKET
from deploy.local.clouds.world.provider import Call

CHECK, GROUP = "health_check", "endpoint_group"
_TTLS = {"CACHE_ALL_STATIC": {"defaultTtl", "clientTtl", "maxTtl"}, "FORCE_CACHE_ALL": {"defaultTtl", "clientTtl"}}
"""What of TTLs may be said in a cache mode (cloud.google.com/cdn/docs/using-ttl-overrides); in others nothing."""
_DEFAULT_TTL_S, _MAX_TTL_S = 3600, 86400
_AFFINITIES = frozenset({"NONE", "CLIENT_IP", "GENERATED_COOKIE"})


def service(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    scheme, protocol = body.get("loadBalancingScheme") or "EXTERNAL", body.get("protocol") or "HTTP"
    if scheme not in {"EXTERNAL", "EXTERNAL_MANAGED"} or protocol not in {"HTTP", "HTTPS", "HTTP2"}:
        raise invalid("resource.protocol", protocol, "The scheme or the protocol is not one of a global load balancer.")
    affinity = body.get("sessionAffinity") or "NONE"
    if affinity not in _AFFINITIES:
        raise invalid("resource.sessionAffinity", affinity, "Unknown.")
    checks = [one_of(call, each, "resource.healthChecks[0]", CHECK) for each in body.get("healthChecks") or []]
    return {
        "backends": [_backend(call, each, checks) for each in body.get("backends") or []],
        **({"healthChecks": checks} if checks else {}),
        "protocol": protocol,
        "loadBalancingScheme": scheme,
        "sessionAffinity": affinity,
        "customRequestHeaders": list(body.get("customRequestHeaders", [])),
        "timeoutSec": int(body.get("timeoutSec", 30)),
        "enableCDN": bool(body.get("enableCDN")),
        **_cached(body, is_cdn=bool(body.get("enableCDN"))),
    }


def _backend(call: Call, asked: dict[str, Any], checks: list[str]) -> dict[str, Any]:
    """Machines need a check, and those of an endpoint group a target rate; a server of the Internet has neither."""
    field, common = "resource.backends[0].group", {"capacityScaler": 1.0}
    path = machine_groups.path_of(asked.get("group"))
    if not path:
        path = one_of(call, asked.get("group"), field, GROUP)
        return {"group": path, "balancingMode": "UTILIZATION", **common}
    if call.get(machine_groups.ENDPOINTS, path) is None and call.get(machine_groups.INSTANCES, path) is None:
        raise invalid(field, asked.get("group"), "The referenced resource cannot be found.")
    if len(checks) != 1:
        raise invalid("resource.healthChecks", checks, "Exactly one health check is needed.")
    if "/instanceGroups/" in path:
        return {"group": path, "balancingMode": "UTILIZATION", "maxUtilization": 0.8, **common}
    rate = float(asked.get("maxRatePerEndpoint") or 0)
    if asked.get("balancingMode") != "RATE" or rate <= 0:
        raise invalid("resource.backends[0].balancingMode", asked.get("balancingMode"), "RATE with a rate is needed.")
    return {"group": path, "balancingMode": "RATE", "maxRatePerEndpoint": rate, **common}


def check(_: Call, body: dict[str, Any]) -> dict[str, Any]:
    """HTTP only, here."""
    asked: dict[str, Any] = body.get("httpHealthCheck") or {}
    if body.get("type") != "HTTP" or not str(asked.get("requestPath") or "/").startswith("/"):
        raise invalid("resource.httpHealthCheck.requestPath", asked.get("requestPath"), "Must begin with '/'.")
    where = asked.get("portSpecification") or ("USE_FIXED_PORT" if asked.get("port") else "USE_SERVING_PORT")
    if (where == "USE_FIXED_PORT") != bool(asked.get("port")):
        raise invalid("resource.httpHealthCheck.portSpecification", where, "A port goes with USE_FIXED_PORT only.")
    interval_s, limit_s = int(body.get("checkIntervalSec", 5)), int(body.get("timeoutSec", 5))
    if not 1 <= limit_s <= interval_s <= 300:
        raise invalid("resource.timeoutSec", limit_s, "Must be at most checkIntervalSec.")
    found = {"requestPath": "/", "proxyHeader": "NONE", **asked, "portSpecification": where}
    numbers = {"healthyThreshold": 2, "unhealthyThreshold": 2, "checkIntervalSec": interval_s, "timeoutSec": limit_s}
    return {"type": "HTTP", "httpHealthCheck": found, **numbers}


def bucket(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    if call.get(BUCKET, str(body.get("bucketName"))) is None:
        raise invalid("resource.bucketName", body.get("bucketName"), "The bucket does not exist.")
    is_cdn = bool(body.get("enableCdn"))
    return {"bucketName": body["bucketName"], "enableCdn": is_cdn, **_cached(body, is_cdn=is_cdn)}


def _cached(body: dict[str, Any], *, is_cdn: bool) -> dict[str, Any]:
    compression = {"compressionMode": str(body.get("compressionMode") or "DISABLED")}
    if not is_cdn:
        return compression
    policy: dict[str, Any] = body.get("cdnPolicy") or {}
    mode = policy.get("cacheMode") or "CACHE_ALL_STATIC"
    possible = _TTLS.get(mode, set())
    said = {name: int(value) for name, value in policy.items() if name.endswith("Ttl")}
    if wrong := said.keys() - possible:
        name = min(wrong)
        raise invalid(f"resource.cdnPolicy.{name}", said[name], f"Cannot be specified with cache mode {mode}.")
    defaults = {"defaultTtl": _DEFAULT_TTL_S, "clientTtl": _DEFAULT_TTL_S, "maxTtl": _MAX_TTL_S}
    ttls = {name: said.get(name, value) for name, value in defaults.items() if name in possible}
    if "maxTtl" in ttls and max(ttls.values()) > ttls["maxTtl"]:
        raise invalid("resource.cdnPolicy.maxTtl", ttls["maxTtl"], "Must not be less than another TTL.")
    kept = {"negativeCaching": True, "serveWhileStale": _MAX_TTL_S, "requestCoalescing": True, **policy}
    return {**compression, "cdnPolicy": {**kept, "cacheMode": mode, **ttls}}


def one_of(call: Call, address: object, field: str, *words: str) -> str:
    """The path of a thing that an address means. Raises Refusal `invalid` when there is none of these kinds."""
    path = "/".join(str(address or "").split("/")[-3:])
    if all(call.get(word, path) is None for word in words):
        raise invalid(field, address, "The referenced resource cannot be found.")
    return path
