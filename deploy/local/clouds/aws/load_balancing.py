"""How does Elastic Load Balancing behave where moto is too fast or too kind? States, names, addresses, listeners."""

from typing import Any

import moto.elbv2.urls
from moto.elbv2.exceptions import DuplicateListenerError, DuplicateLoadBalancerName, TooManyTagsError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer, FakeTargetGroup
from moto.moto_api._internal import mock_random

from deploy.local.clouds.aws.states import Transition
from deploy.local.clouds.clock import Clock

TAGS_MAX = 50  # Elastic Load Balancing, "Tag restrictions"; moto still has the 10 of 2016


class SlowLoadBalancer(FakeLoadBalancer):
    """One that a description does not make active."""

    def activate(self) -> None:
        """Time does it."""


class SlowLoadBalancing(ELBv2Backend):
    """ELBv2 of an account and region. `clock` and `state_seconds` are the deployment's, set on the class before use."""

    clock = Clock()
    state_seconds = 2.5

    def __init__(self, region_name: str, account_id: str) -> None:
        self.transitions: dict[str, Transition] = {}
        super().__init__(region_name, account_id)

    @property
    def _url_module(self) -> Any:
        return moto.elbv2.urls  # moto looks beside the class, which is here

    def settle(self) -> None:
        """Lets everything arrive whose time has come; called before every call to this backend."""
        now_s = self.clock.now_s()
        for arn, transition in list(self.transitions.items()):
            if transition.is_due(now_s):
                del self.transitions[arn]
                if arn in self.load_balancers:
                    self.load_balancers[arn].state = transition.final

    def create_load_balancer(self, name: str, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
        """API_CreateLoadBalancer: the same settings again give the same one, others under its name are refused."""
        if kwargs.get("scheme") is None:
            kwargs["scheme"] = "internet-facing"
        for known in self.load_balancers.values():
            if known.name == name:
                if self._settings(known) != _asked(kwargs):
                    raise DuplicateLoadBalancerName
                return known
        balancer = super().create_load_balancer(name, *args, **kwargs)
        del self.load_balancers[balancer.arn]
        self._address(balancer)
        self.tagging_service.tag_resource(balancer.arn, kwargs.get("tags"))
        self.load_balancers[balancer.arn] = balancer
        balancer.__class__ = SlowLoadBalancer  # type: ignore[type-abstract]
        now_s = self.clock.now_s()
        self.transitions[balancer.arn] = Transition(
            "load balancer", balancer.arn, "active", now_s, now_s + self.state_seconds
        )
        return balancer

    def create_listener(
        self, load_balancer_arn: str, protocol: str, port: str, *args: Any, **kwargs: Any
    ) -> FakeListener:
        """Moto looks for the port among the ARNs of listeners, where it never is."""
        known = self.load_balancers.get(load_balancer_arn)
        if known is not None and str(port) in {str(each.port) for each in known.listeners.values()}:
            raise DuplicateListenerError
        return super().create_listener(load_balancer_arn, protocol, port, *args, **kwargs)

    def delete_load_balancer(self, arn: str) -> None:
        super().delete_load_balancer(arn)
        for group in self.target_groups.values():
            group.load_balancer_arns = [each for each in group.load_balancer_arns if each != arn]

    def describe_target_groups(
        self, load_balancer_arn: str | None, target_group_arns: list[str], names: list[str] | None
    ) -> list[FakeTargetGroup]:
        """A load balancer without groups has none, which is no error."""
        if load_balancer_arn in self.load_balancers and not target_group_arns and not names:
            groups = [each for each in self.target_groups.values() if load_balancer_arn in each.load_balancer_arns]
            return sorted(groups, key=lambda each: str(each.name))
        return list(super().describe_target_groups(load_balancer_arn, target_group_arns, names))

    def describe_tags(self, resource_arns: list[str]) -> dict[str, dict[str, str]]:
        for arn in resource_arns:
            self._get_resource_by_arn(arn)
        return super().describe_tags(resource_arns)

    def add_tags(self, resource_arns: list[str], tags: list[dict[str, str]]) -> None:
        for arn in resource_arns:
            self._get_resource_by_arn(arn)
            if len({*self.tagging_service.get_tag_dict_for_resource(arn), *(each["Key"] for each in tags)}) > TAGS_MAX:
                raise TooManyTagsError
            self.tagging_service.tag_resource(arn, tags)

    def _settings(self, balancer: FakeLoadBalancer) -> tuple[Any, ...]:
        tags = self.tagging_service.get_tag_dict_for_resource(balancer.arn)
        return (balancer.type, balancer.scheme, sorted(each.id for each in balancer.subnets), tags)

    def _address(self, balancer: FakeLoadBalancer) -> None:
        """Its ARN tells its type, its name in the DNS its scheme and type ("Application Load Balancers", DNS name)."""
        if balancer.type == "network":
            balancer.arn = balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
            mark = mock_random.get_random_hex(16)
            balancer.dns_name = f"{balancer.name}-{mark}.elb.{self.region_name}.amazonaws.com"
        else:
            digits = str(int(mock_random.get_random_hex(8), 16))
            balancer.dns_name = f"{balancer.name}-{digits}.{self.region_name}.elb.amazonaws.com"
        if balancer.scheme == "internal" and balancer.type != "network":
            balancer.dns_name = f"internal-{balancer.dns_name}"


def _asked(kwargs: dict[str, Any]) -> tuple[Any, ...]:
    tags = {each["Key"]: each["Value"] for each in kwargs.get("tags") or []}
    return (kwargs.get("loadbalancer_type") or "application", kwargs["scheme"], sorted(kwargs["subnet_ids"]), tags)
