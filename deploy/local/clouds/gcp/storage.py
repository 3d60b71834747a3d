"""What are buckets of the simulated Cloud Storage, as its JSON API has them? Their names are unique in the world."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp import labels
from deploy.local.clouds.gcp.lists import paged
from deploy.local.clouds.gcp.places import REGIONS, number_of, stamp
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

BUCKET = "bucket"
PREFIX = "/storage/v1/"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_AREAS: Mapping[str, str] = {
    "ASIA": "multi-region", "EU": "multi-region", "US": "multi-region", "EUR4": "dual-region", "NAM4": "dual-region",
}  # fmt: skip
_CLASSES = ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE")
_WEEK_S = "604800"
_PAGE_MAX = 1000


def actions() -> list[Action]:
    one = PREFIX + "b/{bucket}"
    return [
        Action("POST", PREFIX + "b", "storage.buckets.insert", insert),
        Action("GET", PREFIX + "b", "storage.buckets.list", list_buckets),
        Action("GET", one, "storage.buckets.get", get),
        Action("PATCH", one, "storage.buckets.patch", patch),
        Action("DELETE", one, "storage.buckets.delete", delete),
        Action("POST", "/upload" + one + "/o", "storage.objects.insert", insert_object),
        Action("DELETE", one + "/o/{object:path}", "storage.objects.delete", delete_object),
    ]


def insert(call: Call) -> Answer:
    body = call.document()
    name, location = str(body.get("name", "")), str(body.get("location") or "US").upper()
    kind = "region" if location.lower() in REGIONS else _AREAS.get(location)
    if not _NAME.fullmatch(name) or name.startswith("goog"):
        raise Refusal("invalid", f"Invalid bucket name: '{name}'")
    if kind is None:
        raise Refusal("invalid", f"The specified location constraint is not valid: {location}")
    if any(each.id == name for each in call.things.everything(call.account.provider, BUCKET)):
        raise Refusal("conflict", "The requested bucket name is not available.", code="conflict")
    facts = {
        "id": name,
        "name": name,
        "projectNumber": number_of(call.account.account_id),
        "location": location,
        "locationType": kind,
        "storageClass": _class(body.get("storageClass", "STANDARD")),
        "timeCreated": stamp(call.now_s),
        "updated": stamp(call.now_s),
        "generation": "1",
        "metageneration": "1",
        "etag": "CAE=",
        "labels": labels.patched({}, body.get("labels", {})),
        "iamConfiguration": {
            "publicAccessPrevention": "inherited",
            **body.get("iamConfiguration", {}),
        },
        "versioning": {"enabled": bool((body.get("versioning") or {}).get("enabled"))},
        "softDeletePolicy": _kept(body.get("softDeletePolicy") or {"retentionDurationSeconds": _WEEK_S}),
        "objects": [],
    }
    made = call.new(BUCKET, name, "ACTIVE", facts, region="global")
    return Answer(200, _render(call, made), result_ids=(name,))


def list_buckets(call: Call) -> Answer:
    if not call.query.get("project"):
        raise Refusal("invalid", "Required parameter: project", code="required")
    rows = [_render(call, each) for each in call.list(BUCKET)]
    return paged(call, rows, "name", "items", _PAGE_MAX, "storage#buckets")


def get(call: Call) -> Answer:
    return Answer(200, _render(call, _need(call)))


def patch(call: Call) -> Answer:
    bucket, body = _need(call), call.document()
    wanted = call.query.get("ifMetagenerationMatch")
    if wanted not in {None, bucket.facts["metageneration"]}:
        message = "At least one of the pre-conditions you specified did not hold."
        raise Refusal("invalid", message, code="conditionNotMet", status=412)
    if "labels" in body:
        bucket.facts["labels"] = labels.patched(bucket.facts["labels"], body["labels"])
    if "storageClass" in body:
        bucket.facts["storageClass"] = _class(body["storageClass"])
    if "versioning" in body:
        bucket.facts["versioning"] = {"enabled": bool(body["versioning"].get("enabled"))}
    if "softDeletePolicy" in body:
        bucket.facts["softDeletePolicy"] = _kept(body["softDeletePolicy"])
    bucket.facts["metageneration"] = str(int(bucket.facts["metageneration"]) + 1)
    bucket.facts["updated"] = stamp(call.now_s)
    call.save(bucket)
    return Answer(200, _render(call, bucket), result_ids=(bucket.id,))


def delete(call: Call) -> Answer:
    bucket = _need(call)
    if bucket.facts["objects"]:
        raise Refusal("conflict", "The bucket you tried to delete is not empty.", code="conflict")
    call.things.remove(bucket)
    return Answer(204, result_ids=(bucket.id,))


def insert_object(call: Call) -> Answer:
    """An upload (`uploadType=media`) of which only the name is kept: a bucket with something in it stays."""
    bucket, name = _need(call), call.query.get("name", "")
    if not name:
        raise Refusal("invalid", "Required parameter: name", code="required")
    bucket.facts["objects"] = sorted({*bucket.facts["objects"], name})
    call.save(bucket)
    shown = {"kind": "storage#object", "id": f"{bucket.id}/{name}/1", "name": name, "bucket": bucket.id}
    return Answer(200, {**shown, "size": str(len(call.http.body))}, result_ids=(f"{bucket.id}/{name}",))


def delete_object(call: Call) -> Answer:
    bucket, name = _need(call), call.path["object"]
    if name not in bucket.facts["objects"]:
        raise Refusal("not_found", f"No such object: {bucket.id}/{name}")
    bucket.facts["objects"].remove(name)
    call.save(bucket)
    return Answer(204, result_ids=(f"{bucket.id}/{name}",))


def _render(call: Call, bucket: Thing) -> dict[str, Any]:
    facts = {name: value for name, value in bucket.facts.items() if name != "objects" and value != {}}
    return {**facts, "kind": "storage#bucket", "selfLink": f"{call.http.base_url}{PREFIX}b/{bucket.id}"}


def _class(name: object) -> str:
    if name not in _CLASSES:
        raise Refusal("invalid", f"Invalid argument. Storage class {name} is unknown.")
    return str(name)


def _kept(policy: Mapping[str, Any]) -> dict[str, str]:
    seconds = str(policy.get("retentionDurationSeconds", _WEEK_S))
    if seconds != "0" and not int(_WEEK_S) <= int(seconds) <= 90 * 86400:
        raise Refusal("invalid", "Soft delete policy retention duration must be 0 or 7 to 90 days.")
    return {"retentionDurationSeconds": seconds}


def _need(call: Call) -> Thing:
    """Another project's bucket is there, and not for everybody."""
    name = call.path["bucket"]
    found = call.get(BUCKET, name)
    if found is None:
        if any(each.id == name for each in call.things.everything(call.account.provider, BUCKET)):
            raise Refusal("forbidden", f"The account does not have storage.buckets.get access to {name}.")
        raise Refusal("not_found", "The specified bucket does not exist.")
    return found
