"""Which word of our vocabulary is a DigitalOcean error?

An error body is `{"id": "unprocessable_entity", "message": …, "request_id": …}`; nearly everything that is not plain
from the status is 422 with a sentence. Sources: docs.digitalocean.com/reference/api, "HTTP Statuses", and the sentences
quoted in github.com/digitalocean/api-v2 (issues 36, 117) and by tools that met them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.errors import Conflict, IncorrectState, InvalidRequest, NoCapacity, QuotaExceeded, StillWorking
from shared.clouds.libcloud.errors import Complaint, Sentence, Vocabulary

PROVIDER = "digitalocean"

SENTENCES = (
    Sentence(422, r"will exceed your \w+ limit", QuotaExceeded),
    Sentence(422, r"limit (has been )?(reached|exceeded)", QuotaExceeded),
    Sentence(422, r"size is not available in this region", NoCapacity),
    Sentence(422, r"size is (currently )?(unavailable|restricted)", NoCapacity),
    Sentence(422, r"too large to fit on your droplet's server", NoCapacity),
    Sentence(422, r"already has a pending event", StillWorking),
    Sentence(422, r"is currently locked", StillWorking),
    Sentence(422, r"invalid size", InvalidRequest, "instance_type"),
    Sentence(422, r"this size has a smaller disk", InvalidRequest, "instance_type"),
    Sentence(422, r"invalid image", InvalidRequest, "image"),
    Sentence(422, r"image you specified is not available", InvalidRequest, "image"),
    Sentence(422, r"invalid region", InvalidRequest, "region"),
    Sentence(422, r"vpc .*(not found|invalid)|invalid vpc", InvalidRequest, "subnet_id"),
    Sentence(422, r"droplets? .*(not found|invalid|maximum)", InvalidRequest, "machines"),
    Sentence(422, r"certificate .*(not found|invalid)", InvalidRequest, "forwarding_rules"),
    Sentence(422, r"domain name is invalid", InvalidRequest, "zone_name"),
    Sentence(422, r"size_gigabytes", InvalidRequest, "size_gib"),
    Sentence(422, r"invalid droplet", InvalidRequest, "machines"),
    Sentence(422, r"invalid origin", InvalidRequest, "origin"),
    Sentence(422, r"cluster name is not available", Conflict),
    Sentence(422, r"cluster is not online", StillWorking),
    Sentence(422, r"smaller size", InvalidRequest, "instance_type"),
    Sentence(422, r"storage_size_mib", InvalidRequest, "storage_gib"),
    Sentence(422, r"trusted source", InvalidRequest, "trusted_addresses"),
    Sentence(422, r"name .*already exists", Conflict),
    Sentence(422, r"data (needs to end|is too long|can't be blank)|cname records|ttl must", InvalidRequest, "records"),
    Sentence(422, r"overlaps with another vpc", InvalidRequest, "ip_range"),
    Sentence(403, r"can ?not delete .*vpc", Conflict),
    Sentence(422, r"must be (powered )?off", IncorrectState),
    Sentence(422, r"already (attached|assigned)", Conflict),
)
"""What their sentences mean; the first that fits counts."""


def _read(document: Mapping[str, Any]) -> Complaint:
    return Complaint(str(document["id"]), str(document.get("message") or document["id"]))


VOCABULARY = Vocabulary(PROVIDER, SENTENCES, _read, fields={})
