"""How are load balancers made, read, changed and removed?

Source: docs.digitalocean.com/reference/api, "Load Balancers"; that they have tags (`tags`, beside `tag`, which chooses
droplets): github.com/digitalocean/godo, load_balancers.go and tags.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.digitalocean.assets import DigitalOceanAssets
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import Document
from shared.clouds.digitalocean.tagging import put_tags
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.errors import InvalidRequest
from shared.clouds.libcloud.refusals import invalid
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import name_of

_STATES: Mapping[str, AssetState] = {
    "new": AssetState.CREATING,
    "active": AssetState.RUNNING,
    "errored": AssetState.FAILED,
}
_NOT_WRITTEN = frozenset({"id", "ip", "ipv6", "status", "created_at", "region", "algorithm", "tags"})
"""What an update may not or need not say; what else it leaves out is reset."""


class DigitalOceanLoadBalancers(DigitalOceanAssets):
    """Balancers of a region; a global one belongs to none and is not shown. Whether names are unique is not said: a
    create looks for its name and its token's tag first, and two processes are kept apart by the journal's lease.
    """

    resource_type, resource_subtype = "load_balancer", "load_balancer"
    path, name, names = "/v2/load_balancers", "load_balancer", "load_balancers"
    fields = {"subnet_id": "network_id"}  # noqa: RUF012 - a ClassVar above

    async def make(self, region: str, spec: AssetSpec) -> Asset:
        wanted = spec.configuration
        body = {
            **_settings(wanted),
            "name": name_of(spec.token),
            "region": region,
            "tags": TAGS.to_words(spec.tags, spec.token, operation="load_balancers.create"),
            "network": "INTERNAL" if wanted["internal"] else "EXTERNAL",
        }
        if wanted["network_id"] is not None:
            body["vpc_uuid"] = wanted["network_id"]
        answer = await self.ask("create", "POST", region, body=body, wants=(self.name,))
        return self.told(answer[self.name])

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """An update is the whole of it: what our configuration has no words for is said again as it is."""
        known, wanted = await self.document(region, asset_id), _settings(configuration)
        if known.get("tag") and wanted.pop("droplet_ids"):
            detail = f"are those with the tag {known['tag']}, as was said at DigitalOcean"
            raise invalid("machines", detail, provider=PROVIDER, operation="load_balancers.update")
        if all(known.get(name) == value for name, value in wanted.items()):
            return
        body = {name: value for name, value in known.items() if name not in _NOT_WRITTEN} | wanted | {"region": region}
        body.pop("droplet_ids" if known.get("tag") else "tag", None)
        try:
            await self.ask("update", "PUT", region, asset_id, body=body)
        except InvalidRequest as error:
            raise self.renamed(error) from None

    async def delete(self, region: str, asset_id: str) -> None:
        await self.remove(region, asset_id)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        known = await self.document(region, asset_id)
        await put_tags(self._client, region, ("load_balancer", asset_id), known.get("tags") or (), tags)

    def read(self, document: Document) -> Asset:
        place, network = document.get("region"), str(document.get("vpc_uuid") or "")
        by_tag = str(document.get("tag") or "")
        droplets = sorted(int(each) for each in document.get("droplet_ids") or ())
        links = [AssetLink("network", f"network:{network}", hard=True)] if network else []
        links += [AssetLink("target", f"machine:{each}", hard=len(droplets) == 1) for each in droplets]
        return Asset(
            id=str(document["id"]),
            name=str(document["name"]),
            state=_STATES.get(str(document["status"]), AssetState.FAILED),
            region=str(place["slug"]) if place else GLOBAL_REGION,
            tags=from_words(document.get("tags") or ()),
            configuration={
                "nodes": int(document.get("size_unit") or 1),
                "forwarding_rules": sorted(
                    (_rule(each) for each in document["forwarding_rules"]), key=lambda each: int(each["entry_port"])
                ),
                "health_check": _check(document["health_check"]),
                "sticky_sessions": _sticky(document.get("sticky_sessions") or {}),
                "redirect_http_to_https": bool(document.get("redirect_http_to_https")),
                "machines": [] if by_tag else [str(each) for each in droplets],
                "network_id": network or None,
                "internal": document.get("network") == "INTERNAL",
            },
            facts={"type": document.get("type") or "REGIONAL", "droplet_tag": by_tag or None},
            links=tuple(links),
            address=document.get("ip") or None,
            created_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
        )


def _settings(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What may change, in DigitalOcean's words."""
    sticky, check = wanted["sticky_sessions"], wanted["health_check"]
    return {
        "size_unit": wanted["nodes"],
        "forwarding_rules": [{**each, "certificate_id": each["certificate_id"] or ""}
                             for each in wanted["forwarding_rules"]],
        "health_check": {
            "protocol": check["protocol"], "port": check["port"], **({"path": check["path"]} if check["path"] else {}),
            "check_interval_seconds": check["interval_s"], "response_timeout_seconds": check["timeout_s"],
            "healthy_threshold": check["healthy_threshold"], "unhealthy_threshold": check["unhealthy_threshold"],
        },
        "sticky_sessions": {"type": "none"} if sticky is None else {
            "type": "cookies", "cookie_name": sticky["cookie_name"], "cookie_ttl_seconds": sticky["cookie_ttl_s"],
        },
        "redirect_http_to_https": wanted["redirect_http_to_https"],
        "droplet_ids": [int(each) for each in wanted["machines"]],
    }  # fmt: skip


def _rule(rule: Document) -> dict[str, Any]:
    return {
        "entry_protocol": rule["entry_protocol"], "entry_port": rule["entry_port"],
        "target_protocol": rule["target_protocol"], "target_port": rule["target_port"],
        "certificate_id": rule.get("certificate_id") or None, "tls_passthrough": bool(rule.get("tls_passthrough")),
    }  # fmt: skip


def _check(check: Document) -> dict[str, Any]:
    return {
        "protocol": check["protocol"], "port": check["port"], "path": check.get("path") or None,
        "interval_s": check.get("check_interval_seconds"), "timeout_s": check.get("response_timeout_seconds"),
        "healthy_threshold": check.get("healthy_threshold"), "unhealthy_threshold": check.get("unhealthy_threshold"),
    }  # fmt: skip


def _sticky(sticky: Document) -> dict[str, Any] | None:
    if sticky.get("type") != "cookies":
        return None
    return {"cookie_name": sticky.get("cookie_name"), "cookie_ttl_s": sticky.get("cookie_ttl_seconds")}
