"""Every AWS error becomes the word that says what to do about it."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    InvalidRegionError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
    UnknownServiceError,
)
from botocore.parsers import ResponseParserError

from shared.clouds.aws.errors import CODES, FIELDS, from_exception, from_state_reason, meaning_of
from shared.clouds.errors import (
    AuthFailed,
    CloudError,
    Conflict,
    IncorrectState,
    InvalidRequest,
    NoCapacity,
    NotFound,
    PermissionDenied,
    ProviderFault,
    QuotaExceeded,
    RateLimited,
    StillWorking,
    Unreachable,
    Unsupported,
)

ROWS = [(code, meaning) for meaning, codes in CODES.items() for code in codes]
URL = "http://127.0.0.1:1"


def answer(code: str, message: str = "words", status: int = 400, **headers: str) -> ClientError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "RunInstances")


@pytest.mark.parametrize(("code", "meaning"), ROWS, ids=[code for code, _ in ROWS])
def test_a_code_has_its_meaning_whatever_the_status(code, meaning):
    for status in (400, 403, 500, 503):
        error = from_exception(answer(code, status=status), operation="RunInstances")
        assert type(error) is meaning
        assert (error.code, error.provider, error.operation) == (code, "aws", "RunInstances")


def test_no_code_has_two_meanings():
    assert len({code for code, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("InvalidKeyPair.NotFound", 400, NotFound),
        ("InvalidSnapshotID.Malformed", 400, InvalidRequest),
        ("InvalidKeyPair.Duplicate", 400, Conflict),
        ("InvalidReservation.InUse", 400, Conflict),
        ("NetworkInterfaceLimitExceeded", 400, QuotaExceeded),
        ("SomethingNew", 400, InvalidRequest),
        ("401", 401, AuthFailed),
        ("403", 403, AuthFailed),
        ("404", 404, NotFound),
        ("SomethingNew", 409, Conflict),
        ("429", 429, RateLimited),
        ("SomethingNew", 500, ProviderFault),
        ("502", 502, ProviderFault),
        ("504", 504, ProviderFault),
    ],
)
def test_an_unknown_code_is_read_by_its_ending_then_by_its_status(code, status, meaning):
    assert meaning_of(code, status) is meaning


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        (ReadTimeoutError(endpoint_url=URL), Unreachable),
        (ConnectTimeoutError(endpoint_url=URL), Unreachable),
        (EndpointConnectionError(endpoint_url=URL), Unreachable),
        (ConnectionClosedError(endpoint_url=URL), Unreachable),
        (ResponseStreamingError(error="cut"), Unreachable),
        (SSLError(endpoint_url=URL, error="x"), Unreachable),
        (ParamValidationError(report="bad"), InvalidRequest),
        (InvalidRegionError(region_name="no where"), InvalidRequest),
        (ResponseParserError("not XML"), ProviderFault),
        (UnknownServiceError(service_name="x", known_service_names="y"), ProviderFault),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_never_was_an_answer_has_a_meaning_too(raised, meaning):
    assert type(from_exception(raised, operation="RunInstances")) is meaning


@pytest.mark.parametrize(("code", "field"), sorted(FIELDS.items()))
def test_a_refused_parameter_is_named_as_our_configuration_names_it(code, field):
    error = from_exception(answer(code), operation="RunInstances")
    if isinstance(error, InvalidRequest):
        assert error.field == field
    else:
        assert isinstance(error, NotFound)  # a create makes it an InvalidRequest with that field


def test_a_message_about_the_instance_type_names_that_field():
    message = "The following supplied instance types do not exist: [z9.mega]"
    assert from_exception(answer("InvalidParameterValue", message), operation="x").field == "instance_type"
    assert from_exception(answer("InvalidParameterValue", "something else"), operation="x").field is None


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None), ("-3", None), ("nan", None)]
)
def test_retry_after_is_seconds_or_unknown(header, seconds):
    error = from_exception(answer("RequestLimitExceeded", **{"retry-after": header}), operation="x")
    assert error.retry_after_s == seconds


def test_keys_are_cut_out_of_messages():
    message = "The Canonical String should have been AKIAEXAMPLE/20261120 with wJalrSECRET"
    error = from_exception(
        answer("SignatureDoesNotMatch", message), operation="x", secrets=("AKIAEXAMPLE", "wJalrSECRET")
    )
    for shown in (str(error), repr(error), error.message, *map(str, error.args)):
        assert "AKIAEXAMPLE" not in shown
        assert "wJalrSECRET" not in shown
    assert "Canonical String" in error.message


def test_a_long_message_is_cut():
    assert len(from_exception(answer("UnauthorizedOperation", "x" * 9000), operation="x").message) == 1000


@pytest.mark.parametrize(
    ("word", "retryable", "outcome_unknown"),
    [
        (NoCapacity, True, False),
        (RateLimited, True, False),
        (StillWorking, True, False),
        (Unreachable, True, True),
        (ProviderFault, True, True),
        (AuthFailed, False, False),
        (PermissionDenied, False, False),
        (QuotaExceeded, False, False),
        (NotFound, False, False),
        (Conflict, False, False),
        (IncorrectState, False, False),
        (InvalidRequest, False, False),
        (Unsupported, False, False),
    ],
)
def test_each_word_says_whether_a_retry_helps(word, retryable, outcome_unknown):
    error: CloudError = word("code", "words", provider="aws", operation="x")
    assert (error.retryable, error.outcome_unknown) == (retryable, outcome_unknown)
    assert str(error) == "aws x: words (code)"


def test_why_an_instance_ended_is_said_in_the_codes_of_errors():
    for code, meaning in [
        ("Server.InsufficientInstanceCapacity", NoCapacity),
        ("Client.VolumeLimitExceeded", QuotaExceeded),
        ("Server.InternalError", ProviderFault),
        ("Client.UserInitiatedShutdown", None),
        ("Server.SpotInstanceTermination", None),
        ("pending", None),
    ]:
        error = from_state_reason({"Code": code, "Message": "words"}, operation="RunInstances")
        assert (None if error is None else type(error)) is meaning, code
    assert from_state_reason({}, operation="RunInstances") is None
