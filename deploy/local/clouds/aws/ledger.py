"""What did each accepted mutation ask for and bring about?"""

import datetime as dt
import json
import re
from typing import Any

from deploy.local.clouds.aws.calls import Call

IDENTIFIER = re.compile(
    rb"\b((?:i|vol|snap|ami|r|vpc|subnet)-[0-9a-f]{8,17}"
    rb"|arn:aws[a-z-]*:(?:rds|elasticloadbalancing|cloudfront):[^<\"\s]+"
    rb"|(?<=<Id>/hostedzone/)[A-Z0-9]+)\b"
)
UNRECORDED = ("UserData", "Password", "Secret", "PolicyDocument")
LONGEST = 256


def created_identifiers(body: bytes) -> list[str]:
    """What an answer names by an id of AWS or an ARN, each once, in its order. A bucket's name is in its parameters."""
    return list(dict.fromkeys(found.decode() for found in IDENTIFIER.findall(body)))


def ledger_line(sequence: int, now_s: float, call: Call, body: bytes) -> str:
    """One JSON line. Long values and what may be a secret are left out."""
    kept: dict[str, Any] = {
        name: value
        for name, value in call.parameters.items()
        if name not in ("Action", "Version")
        and not any(word in name for word in UNRECORDED)
        and len(str(value)) <= LONGEST
    }
    moment = dt.datetime.fromtimestamp(now_s, dt.UTC).isoformat()
    return json.dumps(
        {
            "sequence": sequence,
            "time": moment,
            "account": call.account_id,
            "region": call.region,
            "service": call.service,
            "action": call.action,
            "client_token": call.client_token,
            "repeated": call.repeated,
            "parameters": kept,
            "result_ids": created_identifiers(body),
        }
    )
