"""Which word of our vocabulary is a Linode error?

An error body is `{"errors": [{"reason": …, "field": …}]}`; what a status does not say is a sentence of a 400. Sources:
techdocs.akamai.com/linode-api/reference/errors and the sentences quoted in issues of github.com/linode and of tools.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.clouds.errors import Conflict, IncorrectState, InvalidRequest, NoCapacity, QuotaExceeded, StillWorking
from shared.clouds.libcloud.errors import Complaint, Sentence, Vocabulary

PROVIDER = "linode"

SENTENCES = (
    Sentence(400, r"account limit reached|limit reached|limit exceeded", QuotaExceeded),
    Sentence(400, r"(out of|no|insufficient|not enough) capacity", NoCapacity),
    Sentence(400, r"(sold out|(currently )?unavailable) in (this|the selected) region", NoCapacity),
    Sentence(400, r"label must be unique|already exists", Conflict),
    Sentence(400, r"already attached|must be detached", Conflict),
    Sentence(400, r"cannot (be deleted|delete)|not empty", Conflict),
    Sentence(400, r"(linode|(volume|database) is) busy", StillWorking),
    Sentence(400, r"must be available", IncorrectState),
    Sentence(400, r"already (booted|powered off|shut down)", IncorrectState),
    Sentence(400, r"(must be|is not) (powered off|shut ?down|offline)", IncorrectState),
    Sentence(400, r"valid plan type|more disk (space )?allocat", InvalidRequest, "instance_type"),
)
"""What their sentences mean; the first that fits counts."""

FIELDS: Mapping[str, str] = {
    "type": "instance_type",
    "interfaces": "subnet_id",
    "interfaces.subnet_id": "subnet_id",
    "firewall_id": "security_groups",
    "subnets.ipv4": "subnets",
    "subnets.label": "subnets",
    "size": "size_gib",
    "linode_id": "machine_id",
    "configs.nodes.address": "listeners",
    "nodes.address": "listeners",
    "domain": "zone_name",
    "engine": "version",
    "private_network.subnet_id": "subnet_id",
    "private_network.vpc_id": "network_id",
    "target": "records",
}
"""Their names of fields that our configuration calls otherwise; without the places in a list, `interfaces[1]`."""


def _read(document: Mapping[str, Any]) -> Complaint:
    """The first error is nearly always the only one; it has no code, so that its field or nothing is it."""
    error = document["errors"][0]
    field = re.sub(r"\[\d+\]", "", str(error.get("field") or ""))
    return Complaint(f"invalid_{field}" if field else "error", str(error["reason"]), field)


VOCABULARY = Vocabulary(PROVIDER, SENTENCES, _read, FIELDS)
