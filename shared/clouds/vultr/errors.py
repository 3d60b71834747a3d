"""Which word of our vocabulary is a Vultr error?

An error body is `{"error": "a sentence", "status": 400}`; what a status does not say is a sentence. Sources:
www.vultr.com/api, "Response Codes" (412 is a precondition, 429 and 503 may both mean too many calls), and the sentences
quoted in issues of github.com/vultr and of tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.errors import (
    Conflict,
    IncorrectState,
    InvalidRequest,
    NoCapacity,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    StillWorking,
)
from shared.clouds.libcloud.errors import Complaint, Sentence, Vocabulary

PROVIDER = "vultr"

SENTENCES = (
    Sentence(401, r"unauthorized ip|not authorized|subuser", PermissionDenied),
    Sentence(400, r"maximum (monthly fee|number|instance)|limit (reached|exceeded)", QuotaExceeded),
    Sentence(412, r"maximum (monthly fee|number|instance)|limit (reached|exceeded)", QuotaExceeded),
    Sentence(400, r"(plan|region) .*(not available|unavailable|sold out)", NoCapacity),
    Sentence(412, r"(plan|region) .*(not available|unavailable|sold out)", NoCapacity),
    Sentence(400, r"currently (locked|busy|being|resizing)|is locked", StillWorking),
    Sentence(412, r"currently (locked|busy|being|resizing)|is locked", StillWorking),
    Sentence(400, r"is not ready", StillWorking),
    Sentence(500, r"currently (locked|busy|being|resizing)|is locked", StillWorking),
    Sentence(400, r"invalid (instance[- ]|private network )id", NotFound),
    Sentence(400, r"(upgrade|downgrade|change) .*plan|invalid plan", InvalidRequest, "instance_type"),
    Sentence(400, r"invalid (os|image|snapshot)", InvalidRequest, "image"),
    Sentence(400, r"invalid region", InvalidRequest, "region"),
    Sentence(400, r"invalid tier", InvalidRequest, "tier_id"),
    Sentence(400, r"must be (stopped|halted)", IncorrectState),
    Sentence(400, r"(is|already) attached|in use|already exists", Conflict),
    Sentence(503, r"rate limit", RateLimited),
)
"""What their sentences mean; the first that fits counts."""


def _read(document: Mapping[str, Any]) -> Complaint:
    return Complaint(str(document.get("status", "error")), str(document["error"]))


VOCABULARY = Vocabulary(PROVIDER, SENTENCES, _read, fields={})
