"""How does CloudFront behave where moto is too fast or too kind? Changes take time, versions and states are checked."""

from typing import Any

import moto.cloudfront.urls
from moto.cloudfront.exceptions import (
    CloudFrontException,
    DistributionAlreadyExists,
    InvalidIfMatchVersion,
    NoSuchDistribution,
)
from moto.cloudfront.models import CloudFrontBackend, Distribution, OriginAccessControl, random_id
from moto.moto_api import state_manager

from deploy.local.clouds.aws.states import Transition
from deploy.local.clouds.clock import Clock

UNDER_WAY, DEPLOYED = "InProgress", "Deployed"


class SlowDistributions(CloudFrontBackend):
    """CloudFront of one account. `clock` and `state_seconds` are the deployment's, set on the class before use."""

    clock = Clock()
    state_seconds = 2.5

    def __init__(self, region_name: str, account_id: str) -> None:
        self.transitions: dict[str, Transition] = {}
        super().__init__(region_name, account_id)

    @staticmethod
    def install() -> None:
        """Moto deploys a distribution when it is looked at; here time does."""
        state_manager.set_transition("cloudfront::distribution", {"progression": "manual", "times": 2**62})

    @property
    def _url_module(self) -> Any:
        return moto.cloudfront.urls  # moto looks beside the class, which is here

    def settle(self) -> None:
        """Lets everything arrive whose time has come; called before every call to this backend."""
        now_s = self.clock.now_s()
        for identifier, transition in list(self.transitions.items()):
            if transition.is_due(now_s):
                del self.transitions[identifier]
                if identifier in self.distributions:
                    self.distributions[identifier].status = transition.final

    def create_distribution_with_tags(
        self, distribution_config: dict[str, Any], tags: list[dict[str, str]]
    ) -> tuple[Distribution, str, str]:
        known = self._distribution_with_caller_reference(distribution_config["CallerReference"])
        if known is not None:
            raise DistributionAlreadyExists(known.distribution_id)
        distribution, location, etag = super().create_distribution_with_tags(distribution_config, tags)
        distribution.staging = False  # type: ignore[attr-defined]  # a list says it of each, moto of none
        self._deploy(distribution)
        return distribution, location, etag

    def update_distribution(
        self, dist_config: dict[str, Any], _id: str, if_match: Any
    ) -> tuple[Distribution, str, str]:
        self._check_version(_id, if_match)
        distribution, location, _ = super().update_distribution(dist_config, _id, if_match)
        distribution.etag = random_id()
        self._deploy(distribution)
        return distribution, location, distribution.etag

    def delete_distribution(self, distribution_id: str, if_match: Any) -> None:
        distribution = self._check_version(distribution_id, if_match)
        if distribution.distribution_config.Enabled or distribution.status != DEPLOYED:  # type: ignore[attr-defined]
            text = "The distribution you are trying to delete has not been disabled."
            raise CloudFrontException("DistributionNotDisabled", text)
        super().delete_distribution(distribution_id, if_match)
        self.tagger.delete_all_tags_for_resource(distribution.arn)

    def create_origin_access_control(self, config_dict: dict[str, str]) -> OriginAccessControl:
        if config_dict.get("Name") in {each.name for each in self.origin_access_controls.values()}:
            text = "An origin access control with the specified name already exists."
            raise CloudFrontException("OriginAccessControlAlreadyExists", text)
        return super().create_origin_access_control(config_dict)

    def list_tags_for_resource(self, resource: str) -> dict[str, list[dict[str, str]]]:
        self._check_resource(resource)
        return super().list_tags_for_resource(resource)

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        self._check_resource(arn)
        super().tag_resource(arn, tags)

    def _check_resource(self, arn: str) -> None:
        if ":distribution/" in arn and arn.rpartition("/")[2] not in self.distributions:
            raise CloudFrontException("NoSuchResource", "The specified resource does not exist.")

    def _check_version(self, identifier: str, version: Any) -> Distribution:
        distribution = self.distributions.get(identifier)
        if distribution is None:
            raise NoSuchDistribution
        if not version:
            raise InvalidIfMatchVersion
        if version != distribution.etag:
            raise CloudFrontException("PreconditionFailed", "The request failed because it didn't meet a precondition.")
        return distribution

    def _deploy(self, distribution: Distribution) -> None:
        now_s = self.clock.now_s()
        distribution.status = UNDER_WAY
        self.transitions[distribution.id] = Transition(
            "distribution", distribution.id, DEPLOYED, now_s, now_s + self.state_seconds
        )
