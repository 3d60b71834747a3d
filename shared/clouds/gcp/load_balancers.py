"""How are network load balancers made, read, changed and removed: forwarding rule, target pool, health check?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.errors import CloudError, NotFound, Unsupported
from shared.clouds.gcp import label_tags
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none, last_part, zonal_id
from shared.clouds.gcp.assets import Json, is_refusal, not_found
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.forwarding_rules import GcpForwardingRules, not_there, tags_of
from shared.clouds.models import TOKEN_TAG

_CREATE = "forwardingRules.insert"
_ID = re.compile(r"regions/([a-z0-9-]{1,40})/forwardingRules/([a-z]([-a-z0-9]{0,61}[a-z0-9])?)")
_PAGE_MAX = 500
_ANSWER_LIMIT_S = 5
"""How long a machine may take to answer a check, or the checks' interval where that is less: Google's own default."""


class GcpLoadBalancers(GcpForwardingRules):
    """The forwarding rule is what has the address and the labels; pool and check have its name, and go with it.

    A regional forwarding rule before something else (a backend service, a proxy, a VPN) is shown too, and may be
    tagged and removed; what is behind it is somebody else's and stays. Global rules are in no region, and not here.
    """

    resource_type, resource_subtype, rules = "load_balancer", "network_load_balancer", "forwardingRules"

    def rule_path(self, region: str, name: str) -> str:
        return f"regions/{region}/forwardingRules/{name}"

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """Check, pool, rule; a repeat makes what is missing, and a refusal takes back what was made for it."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        label_tags.to_labels(tags, operation=_CREATE)  # too many are refused before anything is made
        name = gcp_tags.name_of(spec.token, region)
        try:
            await self.insert("httpHealthChecks.insert", "global/httpHealthChecks", region, {
                "name": name, **_check_body(spec.configuration["health_check"]),
            }, named="machines")  # fmt: skip
            await self.insert("targetPools.insert", f"regions/{region}/targetPools", region, {
                "name": name,
                "sessionAffinity": spec.configuration["session_affinity"],
                "healthChecks": [self.url(f"global/httpHealthChecks/{name}")],
                "instances": [self.url(each) for each in spec.configuration["machines"]],
            }, named="machines")  # fmt: skip
            await self.insert(_CREATE, f"regions/{region}/forwardingRules", region, {
                "name": name,
                "IPProtocol": spec.configuration["protocol"].upper(),
                "portRange": f"{spec.configuration['port']}-{spec.configuration['last_port']}",
                "loadBalancingScheme": "EXTERNAL",
                "target": self.url(f"regions/{region}/targetPools/{name}"),
                "description": gcp_tags.to_description({TOKEN_TAG: spec.token}, operation=_CREATE),
            }, named="machines")  # fmt: skip
        except CloudError as error:
            if is_refusal(error):
                with suppress(CloudError):  # what cannot be taken back now is used by the next try
                    await self.remove(region, _parts(region, name))
            raise
        await self.made(region, name, spec.token, _CREATE)
        await self.label(region, name, tags)
        return await self.look(region, name)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        gcp_tags.check_token(token, operation="find_by_token")
        return await self.known(region, gcp_tags.name_of(token, region), token)

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.look(region, self.name_of(region, asset_id))

    async def look(self, region: str, name: str) -> Asset:
        return await self._whole(region, await self.get_rule(region, name))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """Two calls more for each of ours: its pool and its check."""
        size, path = min(_PAGE_MAX, max(1, page_size)), f"/projects/{self._client.project}/regions/{region}"
        async for page in self._client.rest_pages(
            "compute", "forwardingRules.list", f"{path}/forwardingRules", region, maxResults=size
        ):
            yield list(await asyncio.gather(*(self._whole(region, each) for each in page.get("items", []))))

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        name = self.name_of(region, asset_id)
        rule = await self.get_rule(region, name)
        pool, check = await self._behind(region, rule)
        if pool is None or check is None:
            raise Unsupported(
                "notOurs", f"{name} is not before a target pool with a check", provider=PROVIDER,
                operation="targetPools.addInstance",
            )  # fmt: skip
        body = _check_body(configuration["health_check"])
        if body != {each: check.get(each) for each in body}:
            path = f"global/httpHealthChecks/{check['name']}"
            await self.compute_done("httpHealthChecks.patch", "PATCH", path, region, body=body)
        now, wanted = set(_machines(pool)), set(configuration["machines"])
        for verb, machines in (("addInstance", wanted - now), ("removeInstance", now - wanted)):
            if machines:
                await self._members(region, pool["name"], verb, sorted(machines))

    async def delete(self, region: str, asset_id: str) -> None:
        """The address first: nothing comes any more, then what it came to goes."""
        try:
            name = self.name_of(region, asset_id)
            path = f"regions/{region}/forwardingRules/{name}"
            await self.compute_done("forwardingRules.delete", "DELETE", path, region)
        except NotFound:
            if not _ID.fullmatch(asset_id):
                return
        if gcp_tags.is_name(last_part(asset_id)):
            await self.remove(region, _parts(region, last_part(asset_id)))

    def name_of(self, region: str, asset_id: str) -> str:
        found = _ID.fullmatch(asset_id)
        if found is None or found[1] != region:
            raise not_found(asset_id[:200], region, "forwardingRules.get")
        return found[2]

    async def _whole(self, region: str, rule: Json) -> Asset:
        return _asset(region, rule, *await self._behind(region, rule))

    async def _behind(self, region: str, rule: Json) -> tuple[Json | None, Json | None]:
        """The target pool and its first check; None for what there is not."""
        target = str(rule.get("target", ""))
        if "/targetPools/" not in target:
            return None, None
        pool = await self.if_any("targetPools.get", f"regions/{region}/targetPools/{last_part(target)}", region)
        checks = (pool or {}).get("healthChecks") or []
        if not checks:
            return pool, None
        path = f"global/httpHealthChecks/{last_part(checks[0])}"
        return pool, await self.if_any("httpHealthChecks.get", path, region)

    async def _members(self, region: str, pool: str, verb: str, machines: list[str]) -> None:
        body = {"instances": [{"instance": self.url(each)} for each in machines]}
        try:
            path = f"regions/{region}/targetPools/{pool}/{verb}"
            await self.compute_done(f"targetPools.{verb}", "POST", path, region, body=body)
        except NotFound as error:
            raise not_there(error, "machines") from None


def _parts(region: str, name: str) -> tuple[tuple[str, str], ...]:
    """Pool and check of ours."""
    return ("targetPools", f"regions/{region}/targetPools/{name}"), (
        "httpHealthChecks",
        f"global/httpHealthChecks/{name}",
    )


def _check_body(check: Json) -> dict[str, Any]:
    return {
        "port": check["port"],
        "requestPath": check["path"],
        "checkIntervalSec": check["interval_s"],
        "timeoutSec": min(_ANSWER_LIMIT_S, check["interval_s"]),
    }


def _machines(pool: Json) -> list[str]:
    return sorted(zonal_id(each) for each in pool.get("instances", []))


def _asset(region: str, rule: Json, pool: Json | None, check: Json | None) -> Asset:
    first, _, last = str(rule.get("portRange", "")).partition("-")
    configuration: dict[str, Any] = {"protocol": str(rule.get("IPProtocol", "")).lower()}
    if first:
        configuration |= {"port": int(first), "last_port": int(last or first)}
    machines = [] if pool is None else _machines(pool)
    if pool is not None:
        configuration |= {"session_affinity": pool.get("sessionAffinity", "NONE"), "machines": machines}
    if check is not None:
        configuration["health_check"] = {
            "port": check.get("port"), "path": check.get("requestPath"), "interval_s": check.get("checkIntervalSec"),
        }  # fmt: skip
    network = from_project(str(rule.get("network", "")))
    links = [AssetLink("network", f"network:{network}", hard=True)] if network else []
    links += [AssetLink("target", f"machine:{each}", hard=len(machines) == 1) for each in machines]
    return Asset(
        id=f"regions/{region}/forwardingRules/{rule['name']}",
        name=rule["name"],
        state=AssetState.RUNNING,  # a forwarding rule has no state: it forwards
        region=region,
        tags=tags_of(rule),
        configuration=configuration,
        facts={
            "scheme": rule.get("loadBalancingScheme"),
            "before": from_project(str(rule.get("target") or rule.get("backendService") or "")) or None,
            "network_tier": rule.get("networkTier"),
        },
        links=tuple(links),
        address=rule.get("IPAddress"),
        created_at=in_utc_or_none(rule.get("creationTimestamp", "")),
    )
