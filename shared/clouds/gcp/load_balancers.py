"""How are network load balancers made, read, changed and removed: forwarding rule, target pool, health check?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.errors import CloudError, Conflict, FieldProblem, InvalidRequest, NotFound, Unsupported
from shared.clouds.gcp import label_tags
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none, last_part, zonal_id
from shared.clouds.gcp.assets import GcpAssets, Json, is_refusal, not_found
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.models import TOKEN_TAG

_CREATE, _LABEL = "forwardingRules.insert", "forwardingRules.setLabels"
_ID = re.compile(r"regions/([a-z0-9-]{1,40})/forwardingRules/([a-z]([-a-z0-9]{0,61}[a-z0-9])?)")
_PAGE_MAX = 500
_ANSWER_LIMIT_S = 5
"""How long a machine may take to answer a check, or the checks' interval where that is less: Google's own default."""


class GcpLoadBalancers(GcpAssets):
    """The forwarding rule is what has the address and the labels; pool and check have its name, and go with it.

    A regional forwarding rule before something else (a backend service, a proxy, a VPN) is shown too, and may be
    tagged and removed; what is behind it is somebody else's and stays. Global rules are in no region, and not here.
    """

    resource_type, resource_subtype = "load_balancer", "network_load_balancer"

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """Check, pool, rule; a repeat makes what is missing, and a refusal takes back what was made for it."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        label_tags.to_labels(tags, operation=_CREATE)  # too many are refused before anything is made
        name = gcp_tags.name_of(spec.token, region)
        try:
            await self._insert("httpHealthChecks.insert", "global/httpHealthChecks", region, {
                "name": name, **_check_body(spec.configuration["health_check"]),
            })  # fmt: skip
            await self._insert("targetPools.insert", f"regions/{region}/targetPools", region, {
                "name": name,
                "sessionAffinity": spec.configuration["session_affinity"],
                "healthChecks": [self._url(f"global/httpHealthChecks/{name}")],
                "instances": [self._url(each) for each in spec.configuration["machines"]],
            })  # fmt: skip
            await self._insert(_CREATE, f"regions/{region}/forwardingRules", region, {
                "name": name,
                "IPProtocol": spec.configuration["protocol"].upper(),
                "portRange": f"{spec.configuration['port']}-{spec.configuration['last_port']}",
                "loadBalancingScheme": "EXTERNAL",
                "target": self._url(f"regions/{region}/targetPools/{name}"),
                "description": gcp_tags.to_description({TOKEN_TAG: spec.token}, operation=_CREATE),
            })  # fmt: skip
        except CloudError as error:
            if is_refusal(error):
                with suppress(CloudError):  # what cannot be taken back now is used by the next try
                    await self._drop(region, name)
            raise
        await self.made(region, name, spec.token, _CREATE)
        await self._label(region, name, tags)
        return await self.look(region, name)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        gcp_tags.check_token(token, operation="find_by_token")
        return await self.known(region, gcp_tags.name_of(token, region), token)

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.look(region, await self._name(region, asset_id))

    async def look(self, region: str, name: str) -> Asset:
        return await self._whole(region, await self._rule(region, name))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """Two calls more for each of ours: its pool and its check."""
        size, path = min(_PAGE_MAX, max(1, page_size)), f"/projects/{self._client.project}/regions/{region}"
        async for page in self._client.rest_pages(
            "compute", "forwardingRules.list", f"{path}/forwardingRules", region, maxResults=size
        ):
            yield list(await asyncio.gather(*(self._whole(region, each) for each in page.get("items", []))))

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        name = await self._name(region, asset_id)
        rule = await self._rule(region, name)
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
            name = await self._name(region, asset_id)
            path = f"regions/{region}/forwardingRules/{name}"
            await self.compute_done("forwardingRules.delete", "DELETE", path, region)
        except NotFound:
            if not _ID.fullmatch(asset_id):
                return
        if gcp_tags.is_name(last_part(asset_id)):
            await self._drop(region, last_part(asset_id))

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        gcp_tags.check(tags, operation=_LABEL)
        rule = await self._rule(region, await self._name(region, asset_id))
        await self._set_labels(region, rule, {**_tags(rule), **tags} if _is_ours(rule) else tags)

    async def _label(self, region: str, name: str, tags: Mapping[str, str]) -> None:
        """The tags of the create: a rule that has its token among its labels was given them before."""
        rule = await self._rule(region, name)
        try:
            if TOKEN_TAG not in label_tags.from_labels(rule.get("labels")):
                await self._set_labels(region, rule, tags)
        except Conflict:  # another create of this token was faster
            rule = await self._rule(region, name)
            if TOKEN_TAG not in label_tags.from_labels(rule.get("labels")):
                raise

    async def _set_labels(self, region: str, rule: Json, tags: Mapping[str, str]) -> None:
        new = label_tags.changed(rule.get("labels"), tags, operation=_LABEL)
        labels = {key: value for key, value in {**rule.get("labels", {}), **new}.items() if value is not None}
        body = {"labels": labels, "labelFingerprint": rule["labelFingerprint"]}
        path = f"regions/{region}/forwardingRules/{rule['name']}/setLabels"
        await self.compute_done(_LABEL, "POST", path, region, body=body)

    async def _name(self, region: str, asset_id: str) -> str:
        found = _ID.fullmatch(asset_id)
        if found is None or found[1] != region:
            raise not_found(asset_id[:200], region, "forwardingRules.get")
        return found[2]

    async def _rule(self, region: str, name: str) -> Json:
        return await self.compute("forwardingRules.get", "GET", f"regions/{region}/forwardingRules/{name}", region)

    async def _whole(self, region: str, rule: Json) -> Asset:
        return _asset(region, rule, *await self._behind(region, rule))

    async def _behind(self, region: str, rule: Json) -> tuple[Json | None, Json | None]:
        """The target pool and its first check; None for what there is not."""
        target = str(rule.get("target", ""))
        if "/targetPools/" not in target:
            return None, None
        pool = await self._if_any("targetPools.get", f"regions/{region}/targetPools/{last_part(target)}", region)
        checks = (pool or {}).get("healthChecks") or []
        if not checks:
            return pool, None
        path = f"global/httpHealthChecks/{last_part(checks[0])}"
        return pool, await self._if_any("httpHealthChecks.get", path, region)

    async def _if_any(self, operation: str, path: str, region: str) -> Json | None:
        try:
            return await self.compute(operation, "GET", path, region)
        except NotFound:
            return None

    async def _members(self, region: str, pool: str, verb: str, machines: list[str]) -> None:
        body = {"instances": [{"instance": self._url(each)} for each in machines]}
        try:
            path = f"regions/{region}/targetPools/{pool}/{verb}"
            await self.compute_done(f"targetPools.{verb}", "POST", path, region, body=body)
        except NotFound as error:
            raise _no_machine(error) from None

    async def _insert(self, operation: str, path: str, region: str, body: Json) -> None:
        """What has that name already stays as it is."""
        try:
            await self.compute_done(operation, "POST", path, region, body=body)
        except Conflict as error:
            if error.code not in {"alreadyExists", "RESOURCE_ALREADY_EXISTS"}:
                raise
        except NotFound as error:
            raise _no_machine(error) from None

    async def _drop(self, region: str, name: str) -> None:
        """Pool and check of ours, which nothing is before any more."""
        for operation, path in (
            ("targetPools.delete", f"regions/{region}/targetPools/{name}"),
            ("httpHealthChecks.delete", f"global/httpHealthChecks/{name}"),
        ):
            with suppress(NotFound):
                await self.compute_done(operation, "DELETE", path, region)

    def _url(self, path: str) -> str:
        return f"https://www.googleapis.com/compute/v1/projects/{self._client.project}/{path}"


def _check_body(check: Json) -> dict[str, Any]:
    return {
        "port": check["port"],
        "requestPath": check["path"],
        "checkIntervalSec": check["interval_s"],
        "timeoutSec": min(_ANSWER_LIMIT_S, check["interval_s"]),
    }


def _no_machine(error: NotFound) -> InvalidRequest:
    """A machine that the configuration names is not there; Google's message says which."""
    problems = (FieldProblem("machines", error.message),)
    return InvalidRequest(error.code, error.message, provider=PROVIDER, operation=error.operation, problems=problems)


def _is_ours(rule: Json) -> bool:
    return TOKEN_TAG in gcp_tags.from_description(rule.get("description", ""), {})


def _tags(rule: Json) -> dict[str, str]:
    """The token is in the description from the start: labels can only be set on a rule that is there."""
    return {**gcp_tags.from_description(rule.get("description", ""), {}), **label_tags.from_labels(rule.get("labels"))}


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
        tags=_tags(rule),
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
