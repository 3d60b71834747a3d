"""What does the simulated AWS ask for its machines, and how does its Price List tell it?

USD an hour on demand, Linux, shared tenancy, as published for 2024 to 2026; a type or region that is not here has no
price, and Price List and bills say nothing of it rather than zero.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from deploy.local.clouds.aws.calls import Call
from deploy.local.clouds.aws.errors import Answer, Refusal
from deploy.local.clouds.aws.json_lists import next_page

LOCATIONS = {
    "us-east-1": ("US East (N. Virginia)", ""), "us-west-2": ("US West (Oregon)", "USW2-"),
    "eu-west-1": ("EU (Ireland)", "EU-"), "ap-southeast-1": ("Asia Pacific (Singapore)", "APS1-"),
}  # fmt: skip
"""Region: its name in price lists, and what its usage types begin with."""
_HOUR_USD: Mapping[str, tuple[str, str, str, str]] = {
    "t3.micro": ("0.0104", "0.0104", "0.0114", "0.0132"),
    "t3.small": ("0.0208", "0.0208", "0.0228", "0.0264"),
    "t3.medium": ("0.0416", "0.0416", "0.0456", "0.0528"),
    "t3.large": ("0.0832", "0.0832", "0.0912", "0.1056"),
    "m5.large": ("0.096", "0.096", "0.107", "0.12"),
    "m5.xlarge": ("0.192", "0.192", "0.214", "0.24"),
    "m5.2xlarge": ("0.384", "0.384", "0.428", "0.48"),
}
"""By type, in the order of LOCATIONS."""
_SHAPES = {"t3.micro": (2, "1 GiB"), "t3.small": (2, "2 GiB"), "t3.medium": (2, "4 GiB"), "t3.large": (2, "8 GiB"),
           "m5.large": (2, "8 GiB"), "m5.xlarge": (4, "16 GiB"), "m5.2xlarge": (8, "32 GiB")}  # fmt: skip
GIB_MONTH_USD = {"us-east-1": "0.08", "us-west-2": "0.08", "eu-west-1": "0.088", "ap-southeast-1": "0.096"}
GIB_OUT_USD = {"us-east-1": "0.09", "us-west-2": "0.09", "eu-west-1": "0.09", "ap-southeast-1": "0.12"}
_PAGE_MAX = 100  # docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
_SINCE, _VERSION = "2026-11-01T00:00:00Z", "20261101000000"
_ON_DEMAND, _PER_HOUR = "JRTCKXETXF", "6YS6EN2CT7"  # the codes of every on-demand offer and of its hourly rate


def hour_usd(region: str, instance_type: str) -> Decimal | None:
    """None for what is not in the list."""
    prices = _HOUR_USD.get(instance_type)
    return None if prices is None or region not in LOCATIONS else Decimal(prices[list(LOCATIONS).index(region)])


def answer(call: Call) -> Answer:
    """GetProducts of EC2. Raises Refusal."""
    if call.action != "GetProducts":
        raise Refusal("UnsupportedOperation", f"The simulated Price List does not know {call.action}.")
    parameters = call.parameters
    if parameters.get("ServiceCode") != "AmazonEC2":
        raise Refusal("InvalidParameterException", "The service code is invalid: AmazonEC2 is the only one here.")
    filters = parameters.get("Filters", [])
    if any(each.get("Type") != "TERM_MATCH" for each in filters):
        raise Refusal("InvalidParameterException", "Filter type is invalid: TERM_MATCH is the only one here.")
    wanted = {str(each["Field"]): str(each["Value"]) for each in filters}
    found = [each for each in _products() if all(_attribute(each, name) == value for name, value in wanted.items())]
    size = min(_PAGE_MAX, int(parameters.get("MaxResults", _PAGE_MAX)))
    page, token = next_page(found, parameters.get("NextToken"), size, "InvalidNextTokenException")
    document: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(each) for each in page]}
    body = json.dumps(document | ({"NextToken": token} if token else {})).encode()
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], body)


def _attribute(product: Mapping[str, Any], name: str) -> str | None:
    known = {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}
    value: str | None = known.get(name)
    return value


def _products() -> Iterator[dict[str, Any]]:
    for instance_type in _HOUR_USD:
        for region in LOCATIONS:
            yield _product(region, instance_type)


def _product(region: str, instance_type: str) -> dict[str, Any]:
    location, prefix = LOCATIONS[region]
    processors, memory = _SHAPES[instance_type]
    sku = hashlib.sha256(f"{region} {instance_type}".encode()).hexdigest()[:16].upper()
    offer, rate = f"{sku}.{_ON_DEMAND}", f"{sku}.{_ON_DEMAND}.{_PER_HOUR}"
    price = f"{hour_usd(region, instance_type):.10f}"
    dimension = {
        "unit": "Hrs", "endRange": "Inf", "beginRange": "0", "rateCode": rate, "appliesTo": [],
        "description": f"${price} per On Demand Linux {instance_type} Instance Hour", "pricePerUnit": {"USD": price},
    }  # fmt: skip
    terms = {"priceDimensions": {rate: dimension}, "sku": sku, "effectiveDate": _SINCE, "offerTermCode": _ON_DEMAND,
             "termAttributes": {}}  # fmt: skip
    attributes = {
        "servicecode": "AmazonEC2", "servicename": "Amazon Elastic Compute Cloud", "location": location,
        "locationType": "AWS Region", "regionCode": region, "instanceType": instance_type, "vcpu": str(processors),
        "memory": memory, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
        "capacitystatus": "Used", "licenseModel": "No License required", "operation": "RunInstances",
        "usagetype": f"{prefix}BoxUsage:{instance_type}", "marketoption": "OnDemand", "currentGeneration": "Yes",
    }  # fmt: skip
    return {
        "product": {"productFamily": "Compute Instance", "attributes": attributes, "sku": sku},
        "serviceCode": "AmazonEC2", "terms": {"OnDemand": {offer: terms}}, "version": _VERSION,
        "publicationDate": _SINCE,
    }  # fmt: skip
