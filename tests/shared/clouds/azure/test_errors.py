"""Every Azure error becomes the word that says what to do about it."""

import json

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.identity.aio import ClientSecretCredential

from shared.clouds.azure.errors import CODES, FIELDS, TARGETS, from_answer, from_exception, meaning_of
from shared.clouds.errors import (
    AuthFailed,
    Conflict,
    IncorrectState,
    InvalidRequest,
    NoCapacity,
    NotFound,
    PermissionDenied,
    ProviderFault,
    QuotaExceeded,
    RateLimited,
    Unreachable,
)

ROWS = [(code, meaning) for meaning, codes in CODES.items() for code in codes]


class Response:
    """An answer as an SDK's exception carries it."""

    reason = "words"

    def __init__(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.headers = headers or {}
        self._document = document

    def json(self) -> object:
        return json.loads(json.dumps(self._document)) if self._document is not None else json.loads("<html>")

    def text(self) -> str:
        return json.dumps(self._document)


def raised(code: str, message: str = "words", status: int = 400, **headers: str) -> HttpResponseError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponseError(response=Response(status, {"error": {"code": code, "message": message}}, named))


@pytest.mark.parametrize(("code", "meaning"), ROWS, ids=[code for code, _ in ROWS])
def test_a_code_has_its_meaning_whatever_the_status(code, meaning):
    for status in (400, 403, 409, 500, 503):
        error = from_exception(raised(code, status=status), operation="virtual_machines.get")
        assert type(error) is meaning
        assert (error.code, error.provider, error.operation) == (code, "azure", "virtual_machines.get")


def test_no_code_has_two_meanings():
    assert len({code for code, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("DiskEncryptionSetNotFound", 400, NotFound),
        ("NetworkSecurityGroupCountLimitReached", 400, QuotaExceeded),
        ("SnapshotQuotaExceeded", 409, QuotaExceeded),
        ("InUseRouteTableCannotBeDeleted", 400, Conflict),
        ("ResourceCollectionRequestsThrottled", 400, RateLimited),
        ("SomethingNew", 400, InvalidRequest),
        ("SomethingNew", 401, AuthFailed),
        ("SomethingNew", 403, PermissionDenied),
        ("SomethingNew", 404, NotFound),
        ("SomethingNew", 408, ProviderFault),
        ("SomethingNew", 409, Conflict),
        ("SomethingNew", 412, Conflict),
        ("OperationNotAllowed", 429, RateLimited),
        ("SomethingNew", 500, ProviderFault),
        ("504", 504, ProviderFault),
    ],
)
def test_an_unknown_code_is_read_by_its_ending_then_by_its_status(code, status, meaning):
    assert meaning_of(code, status) is meaning


def test_what_is_not_allowed_is_a_quota_or_a_state_by_its_words():
    quota = "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."
    assert type(from_exception(raised("OperationNotAllowed", quota, 409), operation="x")) is QuotaExceeded
    state = "Disk d is attached to VM m."
    assert type(from_exception(raised("OperationNotAllowed", state, 409), operation="x")) is IncorrectState


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (ServiceRequestError("no connection"), Unreachable),
        (ServiceRequestTimeoutError("slow"), Unreachable),
        (ServiceResponseError("broken"), Unreachable),
        (ServiceResponseTimeoutError("slow"), Unreachable),
        (IncompleteReadError("cut"), Unreachable),
        (DecodeError("not JSON"), ProviderFault),
        (AzureError("something"), ProviderFault),
        (ValueError("not JSON"), ProviderFault),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_never_was_an_answer_has_a_meaning_too(error, meaning):
    assert type(from_exception(error, operation="x")) is meaning


def test_a_page_of_a_proxy_is_read_by_its_status():
    error = from_exception(HttpResponseError(response=Response(502, None)), operation="x")
    assert type(error) is ProviderFault
    assert error.code == "502"


def test_entra_s_refusal_is_one_of_the_credentials():
    body = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    error = from_exception(ClientAuthenticationError(response=Response(401, body)), operation="token")
    assert type(error) is AuthFailed
    assert "AADSTS7000215" in error.message


@pytest.mark.parametrize(("target", "field"), sorted(TARGETS.items()))
def test_a_refused_property_is_named_as_our_configuration_names_it(target, field):
    for spelled in (target, f"properties.{target.upper()}"):
        body = {"error": {"code": "InvalidParameter", "message": "wrong", "target": spelled}}
        error = from_answer(400, body, {}, operation="x")
        assert isinstance(error, InvalidRequest)
        assert error.field == field


@pytest.mark.parametrize(("code", "field"), sorted(FIELDS.items()))
def test_a_code_that_says_its_field_names_it(code, field):
    error = from_answer(400, {"error": {"code": code, "message": "wrong"}}, {}, operation="x")
    assert isinstance(error, NotFound) or (isinstance(error, InvalidRequest) and error.field == field)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None), ("-3", None), ("nan", None)]
)
def test_retry_after_is_seconds_or_unknown(header, seconds):
    error = from_exception(raised("TooManyRequests", status=429, Retry_After=header), operation="x")
    assert error.retry_after_s == seconds


def test_no_capacity_is_worth_another_try_and_a_quota_is_not():
    assert from_exception(raised("ZonalAllocationFailed", status=409), operation="x").retryable
    assert issubclass(meaning_of("SkuNotAvailable", 409), NoCapacity)
    assert not from_exception(raised("QuotaExceeded", status=409), operation="x").retryable


def test_credentials_are_cut_out_of_messages():
    message = "Application with identifier 'client-1' was not found in tenant-1; s3cret"
    error = from_exception(raised("x", message), operation="x", secrets=("client-1", "tenant-1", "s3cret"))
    for shown in (str(error), repr(error), error.message, *map(str, error.args)):
        for secret in ("client-1", "tenant-1", "s3cret"):
            assert secret not in shown
    assert "not found" in error.message


def test_a_long_message_is_cut():
    assert len(from_exception(raised("x", "y" * 9000), operation="x").message) == 1000


class Refusing(AsyncHttpTransport):
    """Entra, refusing a client secret."""

    async def send(self, request, **_):
        body = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret s3cret."}
        return EntraAnswer(request, body)

    async def open(self):
        pass

    async def close(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


class EntraAnswer(Response):
    content_type = "application/json"
    is_closed = True

    def __init__(self, request, document):
        super().__init__(401, document, {"content-type": "application/json"})
        self.request = request

    def text(self, encoding: str | None = None) -> str:
        return super().text()

    async def read(self) -> bytes:
        return self.text().encode()

    def body(self) -> bytes:
        return self.text().encode()


@pytest.mark.anyio
async def test_what_azure_s_own_credential_raises_is_understood():
    credential = ClientSecretCredential("tenant-1", "client-1", "s3cret", transport=Refusing(), retry_total=0)
    with pytest.raises(AzureError) as caught:
        await credential.get_token("https://management.azure.com/.default")
    error = from_exception(caught.value, operation="token", secrets=("s3cret",))
    assert type(error) is AuthFailed
    assert "s3cret" not in str(error)
