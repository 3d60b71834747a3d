"""How do the simulated buckets come and go, what is put into them, and how many may there be?"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.clouds.linode import offers
from deploy.local.clouds.linode.answers import list_of, moment, page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

BUCKET = "bucket"
BUCKET_LIMIT, OBJECT_LIMIT = 5000, 50_000_000
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_ACLS = ("private", "public-read", "authenticated-read", "public-read-write")


def actions() -> list[Action]:
    base = "/v4/object-storage"
    buckets = f"{base}/buckets"
    one = f"{buckets}/{{region}}/{{label}}"
    return [
        Action("POST", buckets, "buckets.create", _create),
        Action("GET", buckets, "buckets.list_all", lambda call: page_of(call, call.list(BUCKET), _document)),
        Action("GET", f"{buckets}/{{region}}", "buckets.list", _of_region),
        Action("GET", one, "buckets.get", lambda call: Answer(200, _document(_needed(call)))),
        Action("DELETE", one, "buckets.delete", _delete),
        Action("GET", f"{one}/access", "buckets.access", lambda call: Answer(200, _access(_needed(call)))),
        Action("POST", f"{one}/access", "buckets.update", _update),
        Action("PUT", f"{one}/access", "buckets.update", _update),
        Action("POST", f"{one}/object-url", "buckets.sign", _signed),
        Action("GET", f"{base}/endpoints", "endpoints.list", _endpoints),
        Action("GET", f"{base}/quotas", "quotas.list", _quotas),
        Action("GET", f"{base}/quotas/{{quota}}/usage", "quotas.usage", _usage),
    ]


def public_actions() -> list[Action]:
    """S3's side: an address that was signed is allowed by itself."""
    return [Action("PUT", "/s3/{region}/{label}/{name:path}", "objects.put", _put_object)]


def _create(call: Call) -> Answer:
    wanted = call.document()
    region, label = str(wanted.get("region")), str(wanted.get("label") or "")
    if region not in offers.REGIONS:
        raise Refusal("invalid", "region is not valid", field="region")
    if not 3 <= len(label) <= 63 or not _LABEL.fullmatch(label):
        raise Refusal("invalid", "Bucket name is not valid", field="label")
    acl = str(wanted.get("acl") or "private")
    if acl not in _ACLS:
        raise Refusal("invalid", f"Must be one of {', '.join(_ACLS)}", field="acl")
    if call.get(BUCKET, f"{region}/{label}") is not None:
        raise Refusal("conflict", "Bucket already exists", field="label")
    if len(call.list(BUCKET, region)) >= BUCKET_LIMIT:
        raise Refusal("quota")
    facts = {"label": label, "acl": acl, "cors_enabled": bool(wanted.get("cors_enabled", True)), "objects": {}}
    bucket = call.new(BUCKET, f"{region}/{label}", "active", facts, region=region)
    return Answer(200, _document(bucket), result_ids=[bucket.id])


def _of_region(call: Call) -> Answer:
    return page_of(call, call.list(BUCKET, call.path["region"]), _document)


def _delete(call: Call) -> Answer:
    bucket = _needed(call)
    if bucket.facts["objects"]:
        raise Refusal("conflict", "Bucket is not empty")
    call.things.remove(bucket)
    return Answer(200, {}, result_ids=[bucket.id])


def _update(call: Call) -> Answer:
    bucket, wanted = _needed(call), call.document()
    bucket.facts |= {name: wanted[name] for name in ("acl", "cors_enabled") if name in wanted}
    call.save(bucket)
    return Answer(200, {}, result_ids=[bucket.id])


def _signed(call: Call) -> Answer:
    name = str(call.document().get("name"))
    return Answer(200, {"url": f"{call.http.base_url}/s3/{_needed(call).id}/{name}", "exists": False})


def _put_object(call: Call) -> Answer:
    identifier = f"{call.path['region']}/{call.path['label']}"
    bucket = next((each for each in call.things.everything("linode", BUCKET) if each.id == identifier), None)
    if bucket is None:
        raise Refusal("not_found")
    bucket.facts["objects"][call.path["name"]] = len(call.http.body)
    call.save(bucket)
    return Answer(200)


def _endpoints(call: Call) -> Answer:
    found = [{"region": each, "endpoint_type": "E1", "s3_endpoint": _endpoint(each)} for each in offers.REGIONS]
    return list_of(call, found)


def _quotas(call: Call) -> Answer:
    return list_of(call, [each for region in offers.REGIONS for each in _quotas_of(region)])


def _quotas_of(region: str) -> list[dict[str, Any]]:
    rows = (("bucket", "buckets", BUCKET_LIMIT), ("object", "objects", OBJECT_LIMIT), ("byte", "bytes", 10**15))
    return [
        {"quota_id": f"obj-{name}-{_endpoint(region)}", "quota_type": f"obj-{name}", "quota_name": f"Max {name}",
         "description": f"Most {name} of an account at this endpoint", "quota_limit": limit, "resource_metric": metric,
         "endpoint_type": "E1", "s3_endpoint": _endpoint(region), "has_usage": True}
        for metric, name, limit in rows
    ]  # fmt: skip


def _usage(call: Call) -> Answer:
    for region in offers.REGIONS:
        for each in _quotas_of(region):
            if each["quota_id"] == call.path["quota"]:
                objects = [size for bucket in call.list(BUCKET, region) for size in bucket.facts["objects"].values()]
                used = {"bucket": len(call.list(BUCKET, region)), "object": len(objects), "byte": sum(objects)}
                return Answer(200, {"quota_limit": each["quota_limit"], "usage": used[each["resource_metric"]]})
    raise Refusal("not_found")


def _needed(call: Call) -> Thing:
    return call.need(BUCKET, f"{call.path['region']}/{call.path['label']}")


def _endpoint(region: str) -> str:
    return f"{region}-1.linodeobjects.com"


def _access(bucket: Thing) -> dict[str, Any]:
    facts = bucket.facts
    return {
        "acl": facts["acl"],
        "acl_xml": "<AccessControlPolicy/>",
        "cors_enabled": facts["cors_enabled"],
        "cors_xml": "",
    }


def _document(bucket: Thing) -> dict[str, Any]:
    label, objects = bucket.facts["label"], bucket.facts["objects"]
    return {
        "label": label, "region": bucket.region, "cluster": f"{bucket.region}-1", "endpoint_type": "E1",
        "s3_endpoint": _endpoint(bucket.region), "hostname": f"{label}.{_endpoint(bucket.region)}",
        "objects": len(objects), "size": sum(objects.values()), "created": moment(bucket.created_s),
    }  # fmt: skip
