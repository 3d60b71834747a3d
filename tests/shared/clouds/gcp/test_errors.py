"""Every error of Google Cloud becomes the word that says what to do about it."""

import json

import pytest
import requests
from google.api_core.exceptions import from_http_response
from google.auth.exceptions import RefreshError, TransportError
from google.protobuf.json_format import ParseError

from shared.clouds.errors import (
    AuthFailed,
    Conflict,
    InvalidRequest,
    NoCapacity,
    NotFound,
    PermissionDenied,
    ProviderFault,
    QuotaExceeded,
    RateLimited,
    Unreachable,
)
from shared.clouds.gcp.errors import (
    CODES,
    FIELDS,
    TokenRefused,
    from_exception,
    from_operation,
    meaning_of,
    problems_of,
)

ROWS = [(code, meaning) for meaning, codes in CODES.items() for code in codes]


def answer(status: int, document: object, **headers: str) -> Exception:
    """What the SDK raises for this answer."""
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(document).encode() if not isinstance(document, bytes) else document
    response.headers.update({"content-type": "application/json", **headers})
    response.request = requests.Request("GET", "http://127.0.0.1:1/compute/v1").prepare()
    return from_http_response(response)


def refused(status: int, reason: str, message: str = "words", **headers: str) -> Exception:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return answer(status, {"error": {"code": status, "message": message, "errors": errors}}, **headers)


@pytest.mark.parametrize(("code", "meaning"), ROWS, ids=[code for code, _ in ROWS])
def test_a_code_has_its_meaning_whatever_the_status(code, meaning):
    for status in (400, 403, 409, 500, 503):
        error = from_exception(refused(status, code), operation="instances.insert")
        assert type(error) is meaning
        assert (error.code, error.provider, error.operation) == (code, "gcp", "instances.insert")
    assert type(from_operation([(code, "words")], operation="instances.insert")) is meaning


def test_no_code_has_two_meanings():
    assert len({code for code, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("required", 401, AuthFailed),
        ("required", 400, InvalidRequest),
        ("somethingNew", 400, InvalidRequest),
        ("somethingNew", 401, AuthFailed),
        ("somethingNew", 403, PermissionDenied),
        ("somethingNew", 404, NotFound),
        ("somethingNew", 409, Conflict),
        ("somethingNew", 412, Conflict),
        ("somethingNew", 429, RateLimited),
        ("somethingNew", 500, ProviderFault),
        ("somethingNew", 504, ProviderFault),
    ],
)
def test_an_unknown_code_is_read_by_its_status(code, status, meaning):
    assert meaning_of(code, status) is meaning


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        (requests.ConnectionError("refused"), Unreachable),
        (requests.ReadTimeout("slow"), Unreachable),
        (requests.exceptions.ChunkedEncodingError("cut"), Unreachable),
        (TransportError("no token endpoint"), Unreachable),
        (RefreshError("cannot be refreshed"), AuthFailed),
        (ParseError("not JSON"), ProviderFault),
        (KeyError("items"), ProviderFault),
        (
            TokenRefused(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, None),
            AuthFailed,
        ),
        (TokenRefused(429, {}, "9"), RateLimited),
        (TokenRefused(503, {}, None), ProviderFault),
        (answer(502, b"<html>Bad gateway</html>"), ProviderFault),
        (answer(404, b"nothing here"), NotFound),
        (answer(400, []), InvalidRequest),
    ],
    ids=lambda value: getattr(value, "__name__", f"{type(value).__name__} {value}"),
)
def test_what_has_another_form_has_a_meaning_too(raised, meaning):
    assert type(from_exception(raised, operation="instances.insert")) is meaning


def test_an_api_without_reasons_is_read_by_its_canonical_status():
    error = answer(403, {"error": {"code": 403, "message": "words", "status": "PERMISSION_DENIED"}})
    assert from_exception(error, operation="timeSeries.list").code == "PERMISSION_DENIED"


@pytest.mark.parametrize(("part", "field"), sorted(FIELDS.items()))
def test_a_refused_field_is_named_as_our_configuration_names_it(part, field):
    for path in (part, f"resource.{part}", f"resource.disks[0].initializeParams.{part}", f"resource.{part}[1]"):
        message = f"Invalid value for field '{path}': 'x'. The referenced resource does not exist."
        assert from_exception(refused(400, "invalid", message), operation="x").field == field
    assert problems_of("Something else is wrong.") == ()


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None), ("-3", None), ("nan", None)]
)
def test_retry_after_is_seconds_or_unknown(header, seconds):
    error = from_exception(refused(403, "rateLimitExceeded", **{"retry-after": header}), operation="x")
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    ("code", "meaning"), [("ZONE_RESOURCE_POOL_EXHAUSTED", NoCapacity), ("QUOTA_EXCEEDED", QuotaExceeded)]
)
def test_the_first_error_of_an_operation_counts_and_all_are_told(code, meaning):
    error = from_operation([(code, "No e2-micro left."), ("OTHER", "And more.")], operation="instances.insert")
    assert type(error) is meaning
    assert error.message == "No e2-micro left.; And more."


def test_keys_are_cut_out_of_messages():
    error = from_exception(
        requests.ConnectionError("Bearer ya29.SECRET failed"), operation="x", secrets=("ya29.SECRET",)
    )
    for shown in (str(error), repr(error), error.message, *map(str, error.args)):
        assert "ya29.SECRET" not in shown
    assert "Bearer ***" in error.message


def test_a_long_message_is_cut():
    assert len(from_exception(refused(403, "forbidden", "x" * 9000), operation="x").message) == 1000
