"""How does each AWS protocol write down that a call was refused?"""

import json
import uuid
from dataclasses import dataclass, field
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `reset` means that the connection is closed without it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reset: bool = False


@dataclass
class Refusal(Exception):
    """A call that is answered with an error before moto sees it."""

    code: str
    message: str
    status: int = 400
    headers: list[tuple[str, str]] = field(default_factory=list)


def _xml(refusal: Refusal, protocol: str, request_id: str) -> str:
    code, message = escape(refusal.code), escape(refusal.message)
    if protocol == "ec2":
        error = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{error}<RequestID>{request_id}</RequestID></Response>'
        )
    if protocol == "query":
        side = "Sender" if refusal.status < 500 else "Receiver"
        error = f"<Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    inner = f"<Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'


def _cbor_text(text: str) -> bytes:
    data = text.encode()
    # Major type 3 with a two-byte length (RFC 8949, section 3.1); error texts are short.
    return b"\x79" + len(data).to_bytes(2, "big") + data


def write_refusal(refusal: Refusal, protocol: str) -> Answer:
    """The answer that the SDK of a client turns into `ClientError` with this code and message."""
    request_id = str(uuid.uuid4())
    headers = [("x-amzn-RequestId", request_id), *refusal.headers]
    side = "Sender" if refusal.status < 500 else "Receiver"
    if protocol == "json":
        body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
        headers += [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-query-error", f"{refusal.code};{side}")]
    elif protocol == "cbor":
        pairs = ("__type", refusal.code, "message", refusal.message)
        body = b"\xa2" + b"".join(_cbor_text(text) for text in pairs)
        headers += [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        headers.append(("x-amzn-query-error", f"{refusal.code};{side}"))
    else:
        body = _xml(refusal, protocol, request_id).encode()
        # Clients of REST services that speak JSON read the code from this header.
        headers += [("Content-Type", "text/xml;charset=UTF-8"), ("x-amzn-ErrorType", refusal.code)]
    return Answer(refusal.status, headers, body)
