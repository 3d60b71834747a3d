"""How does Route 53 make and forget zones? A reference makes one zone, which moto overlooks."""

from typing import Any

import moto.route53.urls
from moto.route53.exceptions import NoSuchHostedZone, Route53ClientError
from moto.route53.models import FakeZone, Route53Backend
from moto.route53.responses import Route53

_list_hosted_zones = Route53.list_hosted_zones


def _marked(self: Route53) -> Any:
    """Each page tells where it begins, the first one too (API_ListHostedZones, Marker)."""
    answer: Any = _list_hosted_zones(self)
    answer.result["Marker"] = answer.result["Marker"] or ""
    return answer


class ReferencedZones(Route53Backend):
    """Route 53 of one account."""

    @staticmethod
    def install() -> None:
        """Mends moto's own answers; before the first call. Idempotent."""
        setattr(Route53, "list_hosted_zones", _marked)  # noqa: B010 - a method cannot be assigned

    @property
    def _url_module(self) -> Any:
        return moto.route53.urls  # moto looks beside the class, which is here

    def create_hosted_zone(
        self,
        name: str,
        private_zone: bool,  # noqa: FBT001 - moto's own signature
        caller_reference: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> FakeZone:
        if caller_reference in {zone.caller_reference for zone in self.zones.values()}:
            text = "The hosted zone you're trying to create already exists."
            raise Route53ClientError("HostedZoneAlreadyExists", text)
        return super().create_hosted_zone(name, private_zone, caller_reference, *args, **kwargs)

    def delete_hosted_zone(self, id_: str) -> FakeZone | None:
        zone = super().delete_hosted_zone(id_)
        if zone is not None:
            self.resource_tags.pop(zone.resource_id, None)
        return zone

    def list_tags_for_resources(self, resource_type: str, resource_ids: list[str]) -> list[dict[str, Any]]:
        for each in resource_ids:
            if resource_type == "hostedzone" and each not in self.zones:
                raise NoSuchHostedZone(host_zone_id=each)
        return super().list_tags_for_resources(resource_type, resource_ids)
