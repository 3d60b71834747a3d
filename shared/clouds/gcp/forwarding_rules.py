"""What do load balancers and CDN share at Google Cloud: a forwarding rule, which has the address and the labels?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

from shared.clouds.errors import (
    CloudError,
    Conflict,
    FieldProblem,
    IncorrectState,
    InvalidRequest,
    NotFound,
    StillWorking,
)
from shared.clouds.gcp import label_tags
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.assets import GcpAssets, Json
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.models import TOKEN_TAG


class GcpForwardingRules(GcpAssets):
    """A thing of several parts, of which the rule is made last and goes first. All have its name.

    Labels can only be set on a rule that is there, so until then the token is in its description.
    """

    rules: ClassVar[str]
    """Google's name of the API: `forwardingRules`, `globalForwardingRules`."""

    @abstractmethod
    def rule_path(self, region: str, name: str) -> str:
        """From the project on."""

    @abstractmethod
    def name_of(self, region: str, asset_id: str) -> str:
        """The name of the rule. `NotFound` for what is no id of such a thing in that region."""

    async def get_rule(self, region: str, name: str) -> Json:
        return await self.compute(f"{self.rules}.get", "GET", self.rule_path(region, name), region)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        gcp_tags.check(tags, operation=f"{self.rules}.setLabels")
        rule = await self.get_rule(region, self.name_of(region, asset_id))
        await self._set_labels(region, rule, {**tags_of(rule), **tags} if _is_ours(rule) else tags)

    async def label(self, region: str, name: str, tags: Mapping[str, str]) -> None:
        """The tags of the create: a rule that has its token among its labels was given them before."""
        rule = await self.get_rule(region, name)
        try:
            if TOKEN_TAG not in label_tags.from_labels(rule.get("labels")):
                await self._set_labels(region, rule, tags)
        except Conflict:  # another create of this token was faster
            rule = await self.get_rule(region, name)
            if TOKEN_TAG not in label_tags.from_labels(rule.get("labels")):
                raise

    async def insert(self, operation: str, path: str, region: str, body: Json, *, named: str) -> None:
        """What has that name already stays as it is. `named`: the field of the configuration that names other things,
        and is wrong when one of them is not there.
        """
        try:
            await self.done(operation, "POST", path, region, body=body)
        except Conflict as error:
            if error.code not in {"alreadyExists", "RESOURCE_ALREADY_EXISTS"}:
                raise
        except NotFound as error:
            raise not_there(error, named) from None

    async def remove(self, region: str, parts: Sequence[tuple[str, str]]) -> None:
        """Those (Google's name of the API, path) that are there, one after another."""
        for api, path in parts:
            with suppress(NotFound):
                await self.done(f"{api}.delete", "DELETE", path, region)

    async def done(self, operation: str, http_method: str, path: str, region: str, *, body: Json | None = None) -> None:
        """As `compute_done`; what waits for another part, which an earlier call left on its way, is `StillWorking`."""
        try:
            await self.compute_done(operation, http_method, path, region, body=body)
        except IncorrectState as error:
            raise StillWorking(error.code, error.message, provider=PROVIDER, operation=operation) from None

    async def if_any(self, operation: str, path: str, region: str) -> Json | None:
        try:
            return await self.compute(operation, "GET", path, region)
        except NotFound:
            return None

    def url(self, path: str) -> str:
        return address_of(f"projects/{self._client.project}/{path}")

    async def _set_labels(self, region: str, rule: Json, tags: Mapping[str, str]) -> None:
        operation = f"{self.rules}.setLabels"
        new = label_tags.changed(rule.get("labels"), tags, operation=operation)
        labels = {key: value for key, value in {**rule.get("labels", {}), **new}.items() if value is not None}
        body = {"labels": labels, "labelFingerprint": rule["labelFingerprint"]}
        path = f"{self.rule_path(region, rule['name'])}/setLabels"
        await self.done(operation, "POST", path, region, body=body)


def address_of(path: str) -> str:
    """The full address of a path that begins with a project, as `addresses.from_project` cuts it out."""
    return f"https://www.googleapis.com/compute/v1/{path}"


def not_there(error: CloudError, field: str) -> InvalidRequest:
    """What the configuration names is not there; Google's message says which."""
    problems = (FieldProblem(field, error.message),)
    return InvalidRequest(error.code, error.message, provider=PROVIDER, operation=error.operation, problems=problems)


def tags_of(rule: Json) -> dict[str, str]:
    return {**gcp_tags.from_description(rule.get("description", ""), {}), **label_tags.from_labels(rule.get("labels"))}


def _is_ours(rule: Json) -> bool:
    return TOKEN_TAG in gcp_tags.from_description(rule.get("description", ""), {})
