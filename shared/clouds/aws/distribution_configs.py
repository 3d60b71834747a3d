"""How does what we say of a distribution stand in CloudFront's own configuration, which is much longer?

Source of the policies' ids: CloudFront Developer Guide, "Use managed cache policies".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CACHE_POLICIES: Mapping[str, str] = {
    "optimized": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "disabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
}
_CHANGEABLE = ("domains", "certificate", "default_root_object", "price_class", "cache")
_CACHES = {policy: name for name, policy in _CACHE_POLICIES.items()}
_ORIGIN = "origin"
_TLS = "TLSv1.2_2021"
_BUCKET = re.compile(r"(?P<bucket>.+)\.s3([.-][a-z0-9-]+)?\.amazonaws\.com(\.cn)?")


def new(given: Mapping[str, Any], name: str, access: str | None, bucket_region: str | None) -> dict[str, Any]:
    """`name` is made of the token; `access` lets CloudFront, and nobody else, read the bucket."""
    base = {
        "CallerReference": name,
        "Comment": name,
        "Enabled": True,
        "HttpVersion": "http2and3",
        "IsIPV6Enabled": True,
        "Origins": {"Quantity": 1, "Items": [_origin(given, access, bucket_region)]},
        "DefaultCacheBehavior": {
            "TargetOriginId": _ORIGIN,
            "ViewerProtocolPolicy": "redirect-to-https",
            "Compress": True,
        },
    }
    return _saying(base, given)


def changed(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with what may change as `given` says; what is not ours to say stays."""
    says = read(config)
    if all(says[field] == given[field] for field in _CHANGEABLE):
        return dict(config)
    return _saying(config, given)


def read(config: Mapping[str, Any]) -> dict[str, Any]:
    """A distribution's configuration in our words, of its first origin and its default behaviour."""
    origin = config["Origins"]["Items"][0]
    bucket = bucket_of(config)
    certificate = config.get("ViewerCertificate", {})
    return {
        "bucket": bucket,
        "origin": None if bucket else origin["DomainName"],
        "origin_path": origin.get("OriginPath", ""),
        "domains": sorted(config.get("Aliases", {}).get("Items") or []),
        "certificate": certificate.get("ACMCertificateArn") or None,
        "default_root_object": config.get("DefaultRootObject") or "",
        "price_class": config.get("PriceClass"),
        "cache": _CACHES.get(config["DefaultCacheBehavior"].get("CachePolicyId") or ""),
    }


def bucket_of(config: Mapping[str, Any]) -> str | None:
    """The bucket that the first origin is, None when it is another server."""
    found = _BUCKET.fullmatch(config["Origins"]["Items"][0]["DomainName"])
    return found["bucket"] if found else None


def _saying(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    domains = list(given["domains"])
    return {
        **config,
        "DefaultCacheBehavior": {**config["DefaultCacheBehavior"], "CachePolicyId": _CACHE_POLICIES[given["cache"]]},
        "DefaultRootObject": given["default_root_object"],
        "PriceClass": given["price_class"],
        "Aliases": {"Quantity": len(domains), "Items": domains} if domains else {"Quantity": 0},
        "ViewerCertificate": _certificate(given["certificate"]),
    }


def _origin(given: Mapping[str, Any], access: str | None, bucket_region: str | None) -> dict[str, Any]:
    path = {"Id": _ORIGIN, "OriginPath": given["origin_path"]}
    if given["bucket"] is not None:
        return {
            **path,
            "DomainName": f"{given['bucket']}.s3.{bucket_region}.amazonaws.com",
            "OriginAccessControlId": access,
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
    secure = {"Quantity": 1, "Items": ["TLSv1.2"]}
    custom = {
        "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only", "OriginSslProtocols": secure
    }  # fmt: skip
    return {**path, "DomainName": given["origin"], "CustomOriginConfig": custom}


def _certificate(arn: str | None) -> dict[str, Any]:
    if arn is None:
        return {"CloudFrontDefaultCertificate": True}
    return {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": _TLS}
