"""Every DigitalOcean error becomes the word that says what to do about it."""

import json

import pytest
import requests
from libcloud.common.types import MalformedResponseError

from shared.clouds.digitalocean.errors import VOCABULARY
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
)
from shared.clouds.libcloud.connection import RefusedAnswer


def refused(status: int, message: str = "words", **headers: str) -> CloudError:
    body = json.dumps({"id": "code", "message": message, "request_id": "4d9d8375-3c56-4925-a3e7-eb137fed17e9"})
    return VOCABULARY.from_exception(RefusedAnswer(status, headers, body), operation="droplets.create")


ROWS = [
    (422, "creating this/these droplet(s) will exceed your droplet limit", QuotaExceeded, None),
    (422, "Volume limit has been reached", QuotaExceeded, None),
    (422, "Size is not available in this region.", NoCapacity, None),
    (422, "Size is unavailable", NoCapacity, None),
    (422, "Size is too large to fit on your droplet's server", NoCapacity, None),
    (422, "Droplet already has a pending event.", StillWorking, None),
    (422, "The droplet is currently locked", StillWorking, None),
    (422, "You specified an invalid size for Droplet creation.", InvalidRequest, "instance_type"),
    (422, "This size has a smaller disk. Disks cannot be made smaller.", InvalidRequest, "instance_type"),
    (422, "You specified an invalid image for Droplet creation.", InvalidRequest, "image"),
    (422, "The image you specified is not available in the selected region", InvalidRequest, "image"),
    (422, "You specified an invalid region for Droplet creation.", InvalidRequest, "region"),
    (422, "VPC 5a4981aa was not found", InvalidRequest, "subnet_id"),
    (422, "Droplets 3164444 were not found in the VPC", InvalidRequest, "machines"),
    (422, "certificate 892071a0 was not found", InvalidRequest, "forwarding_rules"),
    (422, "Domain name is invalid", InvalidRequest, "zone_name"),
    (422, "Name already exists", Conflict, None),
    (422, "Data needs to end with a dot (.)", InvalidRequest, "records"),
    (422, "CNAME records cannot share a name with other records", InvalidRequest, "records"),
    (422, "size_gigabytes must be 20 to 16384", InvalidRequest, "size_gib"),
    (422, "You specified an invalid Droplet.", InvalidRequest, "machines"),
    (422, "invalid origin", InvalidRequest, "origin"),
    (409, "cdn already enabled", Conflict, None),
    (422, "cluster name is not available", Conflict, None),
    (422, "cluster is not online", StillWorking, None),
    (422, "cannot resize to a smaller size", InvalidRequest, "instance_type"),
    (422, "storage_size_mib must be at least 30720", InvalidRequest, "storage_gib"),
    (422, "trusted source 999.1.1.1 is not an IPv4 address", InvalidRequest, "trusted_addresses"),
    (422, "a VPC with that name already exists", Conflict, None),
    (422, "This range/size overlaps with another VPC network in your account.", InvalidRequest, "ip_range"),
    (403, "Can not delete VPC with members", Conflict, None),
    (422, "Droplet must be powered off for this action.", IncorrectState, None),
    (422, "Volume is already attached", Conflict, None),
    (422, "something new", InvalidRequest, None),
    (400, "something new", InvalidRequest, None),
    (401, "Unable to authenticate you", AuthFailed, None),
    (403, "You are not authorized to perform this operation", PermissionDenied, None),
    (404, "The resource you requested could not be found.", NotFound, None),
    (408, "timeout", ProviderFault, None),
    (409, "name is taken", Conflict, None),
    (429, "API Rate limit exceeded.", RateLimited, None),
    (500, "Unexpected server-side error", ProviderFault, None),
    (503, "Service unavailable", ProviderFault, None),
]


@pytest.mark.parametrize(("status", "message", "meaning", "field"), ROWS, ids=[row[1] for row in ROWS])
def test_an_answer_has_its_meaning_and_its_field(status, message, meaning, field):
    error = refused(status, message)
    assert type(error) is meaning
    assert (error.code, error.message, error.provider, error.operation) == (
        "code", message, "digitalocean", "droplets.create"
    )  # fmt: skip
    assert getattr(error, "field", None) == field


def test_every_sentence_is_tested():
    for sentence in VOCABULARY.sentences:
        assert any(sentence.says(status, message) for status, message, _, _ in ROWS), sentence.words


@pytest.mark.parametrize(
    ("body", "status", "meaning"),
    [
        ("<html>Bad gateway</html>", 502, ProviderFault),
        ("", 504, ProviderFault),
        ("[]", 400, InvalidRequest),
        ('{"message": "no id"}', 404, NotFound),
        ('{"id": null}', 403, PermissionDenied),
    ],
)
def test_a_body_that_says_nothing_leaves_the_status(body, status, meaning):
    error = VOCABULARY.from_exception(RefusedAnswer(status, {}, body), operation="x")
    assert type(error) is meaning


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        (requests.ConnectTimeout("http://10.0.0.1"), Unreachable),
        (requests.ReadTimeout(), Unreachable),
        (requests.exceptions.ChunkedEncodingError(), Unreachable),
        (ConnectionResetError(), Unreachable),
        (MalformedResponseError("Failed to parse JSON", body="<"), ProviderFault),
        (KeyError("droplet"), ProviderFault),
        (TypeError(), ProviderFault),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_never_was_an_answer_has_a_meaning_too(raised, meaning):
    error = VOCABULARY.from_exception(raised, operation="x")
    assert type(error) is meaning
    assert error.outcome_unknown
    assert "10.0.0.1" not in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None), ("-3", None), ("nan", None)]
)
def test_retry_after_is_seconds_or_unknown(header, seconds):
    assert refused(429, **{"retry-after": header}).retry_after_s == seconds


def test_a_token_is_cut_out_of_a_message_and_a_long_one_is_cut():
    body = json.dumps({"id": "unauthorized", "message": "who is dop_v1_secret? " + "x" * 9000})
    error = VOCABULARY.from_exception(RefusedAnswer(401, {}, body), operation="x", secrets=("dop_v1_secret",))
    assert "dop_v1_secret" not in repr(error)
    assert len(error.message) == 1000
