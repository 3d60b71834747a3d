"""How do the simulated Spaces keep buckets and objects, for whoever has a key that the API made?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from deploy.local.clouds.digitalocean import signatures
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

KEY, BUCKET, OBJECT = "spaces_key", "bucket", "object"
REGIONS = frozenset({"ams3", "blr1", "fra1", "lon1", "nyc3", "sfo3", "sgp1", "syd1", "tor1"})
"""Those of the simulated regions in which Spaces has buckets: nyc1 has none."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_KEYS_MAX, _BUCKETS_MAX = 200, 1000
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_PERMISSIONS = frozenset({"read", "readwrite", "fullaccess"})
_LATEST = "null"


def actions() -> list[Action]:
    """The last ones: a bucket's path could be anything."""
    return [
        Action("POST", "/v2/spaces/keys", "spaces_keys.create", create_key),
        Action("GET", "/v2/spaces/keys", "spaces_keys.list", list_keys),
        Action("DELETE", "/v2/spaces/keys/{key}", "spaces_keys.delete", delete_key),
        Action("GET", "/", "spaces.list_buckets", _signed(list_buckets)),
        Action("PUT", "/{bucket}", "spaces.put_bucket", _signed(put_bucket)),
        Action("GET", "/{bucket}", "spaces.get_bucket", _signed(get_bucket)),
        Action("DELETE", "/{bucket}", "spaces.delete_bucket", _signed(delete_bucket)),
        Action("PUT", "/{bucket}/{key:path}", "spaces.put_object", _signed(put_object)),
        Action("GET", "/{bucket}/{key:path}", "spaces.get_object", _signed(get_object)),
        Action("DELETE", "/{bucket}/{key:path}", "spaces.delete_object", _signed(delete_object)),
    ]


def secret_of(team: str, access_key: str) -> str:
    return hashlib.sha256(f"spaces {team} {access_key}".encode()).hexdigest()[:43]


def team_mark(team: str) -> str:
    """What an access key says of its team."""
    return team.replace("-", "")[:8].upper()


def create_key(call: Call) -> Answer:
    wanted, team = call.document(), call.account.account_id
    name, grants = str(wanted.get("name") or ""), wanted.get("grants") or []
    if not name or any(each.get("permission") not in _PERMISSIONS for each in grants):
        raise Refusal("invalid", "name and permissions must be valid", status=400)
    if len(call.list(KEY)) >= _KEYS_MAX:
        raise Refusal("invalid", "spaces key limit reached")
    access_key = f"DO00{team_mark(team)}{call.things.last_number + 1:08X}"
    key = call.new(KEY, access_key, "there", {"name": name, "grants": grants}, region="global")
    document = {**_key_document(key), "secret_key": secret_of(team, access_key)}
    return Answer(201, {"key": document}, result_ids=[access_key])


def list_keys(call: Call) -> Answer:
    return page_of(call, "keys", call.list(KEY), _key_document)


def delete_key(call: Call) -> Answer:
    key = call.need(KEY, call.path["key"])
    call.things.remove(key)
    return Answer(204, result_ids=[key.id])


def _key_document(key: Thing) -> dict[str, Any]:
    return {"name": key.facts["name"], "access_key": key.id, "grants": key.facts["grants"],
            "created_at": moment(key.created_s)}  # fmt: skip


def _signed(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """What only a key may ask for that exists; one that may do all of it is enough here."""

    def handle(call: Call) -> Answer:
        access_key = signatures.key_of(call.http)
        key = call.get(KEY, access_key)
        if not access_key:
            raise Refusal("no_route")
        if key is None:
            raise Refusal("unauthenticated", code="InvalidAccessKeyId")
        if not any(each["permission"] == "fullaccess" for each in key.facts["grants"]):
            raise Refusal("forbidden")
        return handler(call)

    return handle


def list_buckets(call: Call) -> Answer:
    rows = "".join(
        f"<Bucket><Name>{each.id}</Name><CreationDate>{moment(each.created_s)}</CreationDate></Bucket>"
        for each in call.list(BUCKET, call.region)
    )
    return _xml("ListAllMyBucketsResult", f"<Buckets>{rows}</Buckets>")


def put_bucket(call: Call) -> Answer:
    """Making one's own again is success."""
    name = call.path["bucket"]
    if "versioning" in call.query:
        bucket = _bucket(call)
        bucket.facts["versioning"] = "<Status>Enabled</Status>" in call.http.body.decode()
        bucket.facts["was_versioned"] = True
        call.save(bucket)
        return Answer(200, body=b"", result_ids=[name])
    if call.region not in REGIONS:
        raise Refusal("invalid", "no Spaces in this region", code="InvalidLocationConstraint")
    if not _NAME.fullmatch(name):
        raise Refusal("invalid", "The specified bucket is not valid.", code="InvalidBucketName")
    taken = [each for each in call.things.everything(call.account.provider, BUCKET) if each.id == name]
    if any(each.account != call.account.account_id or each.region != call.region for each in taken):
        raise Refusal("conflict", "The requested bucket name is not available.", code="BucketAlreadyExists")
    if not taken:
        if len(call.list(BUCKET)) >= _BUCKETS_MAX:
            raise Refusal("quota")
        call.new(BUCKET, name, "there", {"name": name, "versioning": False, "was_versioned": False})
    return Answer(200, body=b"", result_ids=[name], repeated=bool(taken))


def get_bucket(call: Call) -> Answer:
    bucket = _bucket(call)
    if "versioning" in call.query:
        status = "Enabled" if bucket.facts["versioning"] else "Suspended"
        return _xml("VersioningConfiguration", f"<Status>{status}</Status>" if bucket.facts["was_versioned"] else "")
    found = [each for each in _objects(call, bucket) if each.facts["key"].startswith(call.query.get("prefix", ""))]
    if "versions" in call.query:
        return _xml("ListVersionsResult", "".join(_version(each) for each in found))
    found = [each for each in found if each.facts["latest"] and not each.facts["deleted"]]
    start = call.query.get("marker", "")
    found = [each for each in found if each.facts["key"] > start][: int(call.query.get("max-keys", "1000"))]
    rows = "".join(_contents(each) for each in found)
    return _xml("ListBucketResult", f"<Name>{bucket.id}</Name><IsTruncated>false</IsTruncated>{rows}")


def delete_bucket(call: Call) -> Answer:
    bucket = _bucket(call)
    if _objects(call, bucket):
        raise Refusal("conflict", "The bucket you tried to delete is not empty.", code="BucketNotEmpty")
    call.things.remove(bucket)
    return Answer(204, result_ids=[bucket.id])


def put_object(call: Call) -> Answer:
    bucket = _bucket(call)
    body = call.http.body.decode()
    _write(call, bucket, call.path["key"], body, deleted=False)
    return Answer(200, headers={"etag": _etag(body)}, body=b"", result_ids=[call.path["key"]])


def get_object(call: Call) -> Answer:
    found = [each for each in _of_key(call) if each.facts["latest"] and not each.facts["deleted"]]
    if not found:
        raise Refusal("not_found", "The specified key does not exist.", code="NoSuchKey")
    return Answer(200, headers={"content-type": "binary/octet-stream"}, body=found[0].facts["body"].encode())


def delete_object(call: Call) -> Answer:
    """One version for good; without one, in a bucket with versions, only its newest stops being shown."""
    bucket, version = _bucket(call), call.query.get("versionId")
    if version is None and bucket.facts["versioning"]:
        _write(call, bucket, call.path["key"], "", deleted=True)
    else:
        for each in _of_key(call):
            if each.facts["version"] == (version or _LATEST):
                call.things.remove(each)
        left = _of_key(call)
        if left:
            left[-1].facts["latest"] = True
            call.save(left[-1])
    return Answer(204, result_ids=[call.path["key"]])


def _write(call: Call, bucket: Thing, key: str, body: str, *, deleted: bool) -> None:
    version = f"v{call.things.last_number + 1}" if bucket.facts["versioning"] else _LATEST
    for each in _of_key(call):
        if each.facts["version"] == version:
            call.things.remove(each)
        else:
            each.facts["latest"] = False
            call.save(each)
    facts = {"bucket": bucket.id, "key": key, "version": version, "body": body, "latest": True, "deleted": deleted}
    call.new(OBJECT, f"{bucket.id}/{key}?{version}", "there", facts)


def _bucket(call: Call) -> Thing:
    bucket = call.get(BUCKET, call.path["bucket"])
    if bucket is None or bucket.region != call.region:
        raise Refusal("not_found", "The specified bucket does not exist.", code="NoSuchBucket")
    return bucket


def _objects(call: Call, bucket: Thing) -> list[Thing]:
    found = [each for each in call.list(OBJECT, bucket.region) if each.facts["bucket"] == bucket.id]
    return sorted(found, key=lambda each: str(each.facts["key"]))


def _of_key(call: Call) -> list[Thing]:
    return [each for each in _objects(call, _bucket(call)) if each.facts["key"] == call.path["key"]]


def _contents(found: Thing) -> str:
    body, key = str(found.facts["body"]), escape(found.facts["key"])
    return (
        f"<Contents><Key>{key}</Key><LastModified>{moment(found.created_s)}</LastModified>"
        f"<ETag>{escape(_etag(body))}</ETag><Size>{len(body.encode())}</Size></Contents>"
    )


def _etag(body: str) -> str:
    return f'"{hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()}"'


def _version(version: Thing) -> str:
    tag = "DeleteMarker" if version.facts["deleted"] else "Version"
    key, latest = escape(version.facts["key"]), str(version.facts["latest"]).lower()
    number = version.facts["version"]
    return f"<{tag}><Key>{key}</Key><VersionId>{number}</VersionId><IsLatest>{latest}</IsLatest></{tag}>"


def _xml(name: str, inside: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_NAMESPACE}">{inside}</{name}>'
    return Answer(200, headers={"content-type": "application/xml"}, body=text.encode())


_REFUSALS = {
    "unauthenticated": (403, "SignatureDoesNotMatch"),
    "forbidden": (403, "AccessDenied"),
    "not_found": (404, "NoSuchBucket"),
    "invalid": (400, "InvalidArgument"),
    "conflict": (409, "BucketAlreadyExists"),
    "throttled": (503, "SlowDown"),
    "quota": (400, "TooManyBuckets"),
    "internal": (500, "InternalError"),
    "unavailable": (503, "ServiceUnavailable"),
}


def refused(refusal: Refusal) -> Answer:
    """In XML, with codes: as S3 says it."""
    status, code = _REFUSALS.get(refusal.kind, (400, "InvalidRequest"))
    text = f"<Error><Code>{refusal.code or code}</Code><Message>{escape(refusal.message)}</Message></Error>"
    headers = {"content-type": "application/xml"}
    if refusal.retry_after_s is not None:
        headers["retry-after"] = f"{refusal.retry_after_s:g}"
    return Answer(status, headers=headers, body=f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode())
