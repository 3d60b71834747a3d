"""Every Vultr error becomes the word that says what to do about it."""

import json

import pytest

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
)
from shared.clouds.libcloud.connection import RefusedAnswer
from shared.clouds.vultr.errors import VOCABULARY


def refused(status: int, sentence: str, **headers: str) -> CloudError:
    body = json.dumps({"error": sentence, "status": status})
    return VOCABULARY.from_exception(RefusedAnswer(status, headers, body), operation="instances.create")


FEE = "Server add failed: You have reached the maximum monthly fee limit for this account."
ROWS = [
    (401, "Unauthorized IP address: 192.0.2.1", PermissionDenied, None),
    (400, FEE, QuotaExceeded, None),
    (412, FEE, QuotaExceeded, None),
    (400, "Plan is not available in the selected region.", NoCapacity, None),
    (412, "Plan is not available in the selected region.", NoCapacity, None),
    (400, "This instance is currently locked.", StillWorking, None),
    (412, "Server is currently busy", StillWorking, None),
    (500, "Unable to destroy server: Unable to remove VM: Server is currently locked", StillWorking, None),
    (400, "Load balancer is not ready.", StillWorking, None),
    (400, "Invalid instance-id", NotFound, None),
    (400, "Invalid private network ID.", NotFound, None),
    (400, "Invalid plan.", InvalidRequest, "instance_type"),
    (400, "Unable to downgrade to that plan: its disk is smaller.", InvalidRequest, "instance_type"),
    (400, "Invalid OS.", InvalidRequest, "image"),
    (400, "Invalid region.", InvalidRequest, "region"),
    (400, "Server must be stopped", IncorrectState, None),
    (400, "VPC is attached to 192.0.2.7", Conflict, None),
    (400, "Invalid tier specified for this location", InvalidRequest, "tier_id"),
    (400, "Domain already exists", Conflict, None),
    (503, "Rate limit hit", RateLimited, None),
    (400, "something new", InvalidRequest, None),
    (401, "Invalid API token.", AuthFailed, None),
    (403, "This user does not have the permission to do that.", PermissionDenied, None),
    (404, "Not found", NotFound, None),
    (409, "something", Conflict, None),
    (412, "something", InvalidRequest, None),
    (429, "Rate limit hit", RateLimited, None),
    (500, "Internal server error", ProviderFault, None),
    (503, "Service unavailable", ProviderFault, None),
]


@pytest.mark.parametrize(("status", "sentence", "meaning", "field"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_an_answer_has_its_meaning_and_its_field(status, sentence, meaning, field):
    error = refused(status, sentence)
    assert type(error) is meaning
    assert (error.code, error.message, error.provider) == (str(status), sentence, "vultr")
    assert getattr(error, "field", None) == field


def test_every_sentence_is_tested():
    for sentence in VOCABULARY.sentences:
        assert any(sentence.says(row[0], row[1]) for row in ROWS), (sentence.status, sentence.words)


def test_a_throttled_503_says_when_to_come_again():
    assert refused(503, "Rate limit hit", **{"retry-after": "3"}).retry_after_s == 3.0


@pytest.mark.parametrize("body", ["<html>", "{}", "null", '{"status": 400}'])
def test_a_body_that_says_nothing_leaves_the_status(body):
    for status, meaning in ((502, ProviderFault), (404, NotFound), (401, AuthFailed)):
        assert type(VOCABULARY.from_exception(RefusedAnswer(status, {}, body), operation="x")) is meaning
