"""What does one HTTP request ask of which AWS service, and in which protocol?"""

import hashlib
import io
import json
import re
import zlib
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from deploy.local.clouds.aws.operations import name_operation

BODY_LIMIT_BYTES = 64 * 1024 * 1024
READING = ("Describe", "Get", "List", "Head", "Lookup", "Search", "Simulate", "Decode", "GET ", "HEAD ")

# A credential scope names the service as its signature does (AWS General Reference, "Signature Version 4").
SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
FORM_SERVICES = frozenset({"sts", "iam", "rds", "autoscaling", "elasticloadbalancing", "monitoring", "cloudformation"})


@dataclass(frozen=True)
class Request:
    """One HTTP request, read to its end. Header names are lower case; `target` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def plain_body(self) -> bytes:
        """The body without its compression (SDKs compress metric data); raises ValueError when it is damaged."""
        if self.headers.get("content-encoding") != "gzip":
            return self.body
        try:
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(self.body, BODY_LIMIT_BYTES)
        except zlib.error as error:
            raise ValueError("the body is not gzip") from error


@dataclass
class Call:
    """One AWS call. `parameters` is flat (`TagSpecification.1.Tag.1.Key`) for the form protocols, the JSON document for
    the JSON ones, and what path and query say for REST. `repeated` becomes true when a client token showed that this
    call was answered before.
    """

    account_id: str
    access_key_id: str
    region: str
    service: str
    action: str
    protocol: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    repeated: bool = False
    body: bytes = field(default=b"", repr=False)

    @property
    def client_token(self) -> str | None:
        token = self.parameters.get("ClientToken")
        return str(token) if token else None

    @property
    def is_mutation(self) -> bool:
        return not self.action.startswith(READING)

    def fingerprint(self) -> str:
        """Hash of everything a client token promises to repeat unchanged."""
        asked = {k: v for k, v in self.parameters.items() if k not in ("Action", "Version", "ClientToken")}
        return hashlib.sha256(json.dumps([self.action, asked], sort_keys=True, default=str).encode()).hexdigest()


# moto's backends do not see the request; the call that this thread is answering reaches them here.
current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)


def read_request(environ: Mapping[str, Any]) -> Request:
    """The request of a WSGI environment; raises ValueError when its body is larger than 64 MiB."""
    headers = {k[5:].replace("_", "-").lower(): str(v) for k, v in environ.items() if k.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > BODY_LIMIT_BYTES:
        raise ValueError("the body is too large")
    stream: io.BufferedIOBase = environ["wsgi.input"]
    body = stream.read(length) if length else b""
    # RAW_URI is werkzeug's undecoded request target; a signature covers exactly that.
    target = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"])
    return Request(str(environ["REQUEST_METHOD"]), target, headers, body)


def protocol_of(service: str, headers: Mapping[str, str]) -> str:
    """`ec2`, `query`, `json`, `rest-xml` or `cbor`: the format in which an error has to be written."""
    if headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if "x-amz-target" in headers:
        return "json"
    if service == "ec2":
        return "ec2"
    return "query" if service in FORM_SERVICES else "rest-xml"


def read_action(request: Request, protocol: str, service: str) -> tuple[str, Mapping[str, Any]]:
    """Action and parameters."""
    if protocol == "json":
        document = json.loads(request.plain_body() or b"{}")
        if not isinstance(document, dict):
            raise ValueError("the body is not a JSON object")
        return request.headers["x-amz-target"].rpartition(".")[2], document
    if protocol in ("ec2", "query"):
        form = dict(parse_qsl(request.query, keep_blank_values=True))
        form.update(parse_qsl(request.plain_body().decode("utf-8"), keep_blank_values=True))
        return form.get("Action", ""), form
    return name_operation(service, request.method, request.path, request.query, request.headers)
