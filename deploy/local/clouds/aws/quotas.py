"""What does Service Quotas say of an account? What a new one may have of the kinds that the simulated AWS has.

Moto knows the defaults of networks only. Values: "Service endpoints and quotas" of each service, AWS General Reference.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from moto.servicequotas.responses import ServiceQuotasResponse

# service: rows of code, name, value and, where AWS counts what is used, the resource as AWS/Usage calls it
QUOTAS: dict[str, tuple[tuple[str, str, float, str | None], ...]] = {
    "cloudfront": (("L-24B04930", "Web distributions per AWS account", 500, None),),
    "ec2": (
        ("L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 1152, "vCPU"),
        ("L-34B43A08", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 1152, "vCPU"),
    ),
    "elasticloadbalancing": (
        ("L-53DA6B97", "Application Load Balancers per Region", 50, "ApplicationLoadBalancersPerRegion"),
        ("L-69A177A2", "Network Load Balancers per Region", 50, "NetworkLoadBalancersPerRegion"),
    ),
    "rds": (("L-7B6409FD", "DB instances", 40, "DBInstances"),),
    "route53": (("L-4EA4796A", "Hosted zones", 500, None),),
    "s3": (("L-DC2B2D3D", "General purpose buckets", 10_000, None),),
    "vpc": (("L-F678F1CE", "VPCs per Region", 5, None),),
}
GLOBAL = frozenset({"cloudfront", "route53", "s3"})
HOME = "us-east-1"


def install() -> None:
    """Puts the list before moto's own; before the first call. Idempotent."""
    setattr(ServiceQuotasResponse, "list_service_quotas", list_service_quotas)  # noqa: B010 - moto has no such method


def list_service_quotas(self: Any) -> Any:
    """API_ListServiceQuotas: by MaxResults and NextToken."""
    asked = json.loads(self.body)
    service = str(asked.get("ServiceCode"))
    rows = () if service in GLOBAL and self.region != HOME else QUOTAS.get(service, ())
    if not rows:
        return 400, {}, json.dumps({"__type": "NoSuchResourceException", "Message": f"There is no service {service}."})
    first = int(urlsafe_b64decode(asked["NextToken"]).decode()) if asked.get("NextToken") else 0
    last = first + int(asked.get("MaxResults") or 100)
    place = f"{self.region}:{self.current_account}"
    document: dict[str, Any] = {"Quotas": [_quota(service, place, *row) for row in rows[first:last]]}
    if last < len(rows):
        document["NextToken"] = urlsafe_b64encode(str(last).encode()).decode()
    return json.dumps(document)


def _quota(service: str, place: str, code: str, name: str, value: float, counted: str | None) -> dict[str, Any]:
    quota = {
        "ServiceCode": service, "ServiceName": service, "QuotaCode": code, "QuotaName": name, "Value": value,
        "QuotaArn": f"arn:aws:servicequotas:{place}:{service}/{code}", "Unit": "None", "Adjustable": True,
        "GlobalQuota": service in GLOBAL,
    }  # fmt: skip
    if counted is None:
        return quota
    kind = {"Service": service.upper(), "Type": "Resource", "Resource": counted, "Class": "None"}
    usage = {"MetricNamespace": "AWS/Usage", "MetricName": "ResourceCount", "MetricDimensions": kind,
             "MetricStatisticRecommendation": "Maximum"}  # fmt: skip
    return {**quota, "UsageMetric": usage}
