"""Which exact tags did a client leave in labels, and how does a patch change labels?"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp.instances import check_labels

_PART = "canopy-tags-"


def of(facts: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels of a thing of any kind; those of a database are among its settings."""
    found: Mapping[str, str] = facts.get("labels") or (facts.get("settings") or {}).get("userLabels") or {}
    return found


def exact(labels: Mapping[str, str]) -> dict[str, str]:
    """Empty for labels of others."""
    text = "".join(value for key, value in sorted(labels.items()) if key.startswith(_PART)).upper()
    found: dict[str, str] = json.loads(base64.b32decode(text + "=" * (-len(text) % 8)) or b"{}")
    return found


def patched(labels: Mapping[str, str], change: Mapping[str, str | None]) -> dict[str, str]:
    """A merge patch: what is null goes, what is not named stays. Raises Refusal `invalid`."""
    merged = {**labels, **change}
    return check_labels({key: value for key, value in merged.items() if value is not None})
