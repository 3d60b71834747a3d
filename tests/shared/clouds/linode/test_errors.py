"""Every Linode error becomes the word that says what to do about it."""

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
from shared.clouds.linode.errors import VOCABULARY


def refused(status: int, reason: str, field: str | None = None) -> CloudError:
    error = {"reason": reason, **({} if field is None else {"field": field})}
    body = json.dumps({"errors": [error, {"reason": "another"}]})
    return VOCABULARY.from_exception(RefusedAnswer(status, {}, body), operation="instances.create")


ROWS = [
    (400, "Account Limit reached. Please open a support ticket.", None, QuotaExceeded, None),
    (400, "The selected plan is out of capacity in the selected region.", None, NoCapacity, None),
    (400, "This plan is currently unavailable in the selected region", "type", NoCapacity, None),
    (400, "Label must be unique among your linodes", "label", Conflict, None),
    (400, "Cannot delete a subnet that has Linodes in it", None, Conflict, None),
    (400, "Must not overlap with a forbidden range", "subnets[1].ipv4", InvalidRequest, "subnets"),
    (400, "A subnet by that ID was not found", "interfaces[1].subnet_id", InvalidRequest, "subnet_id"),
    (400, "Must be in address:port format", "configs[1].nodes[1].address", InvalidRequest, "listeners"),
    (400, "A Linode by that ID was not found in this region", "linode_id", InvalidRequest, "machine_id"),
    (400, "DNS zone already exists.", "domain", Conflict, None),
    (400, "Bucket already exists", "label", Conflict, None),
    (400, "Bucket is not empty", None, Conflict, None),
    (400, "Database is busy.", None, StillWorking, None),
    (400, "engine is not valid", "engine", InvalidRequest, "version"),
    (400, "A VPC subnet by that ID was not found", "private_network.subnet_id", InvalidRequest, "subnet_id"),
    (400, "Domain is not valid", "domain", InvalidRequest, "zone_name"),
    (400, "Must be 10-16384", "size", InvalidRequest, "size_gib"),
    (400, "Linode busy.", None, StillWorking, None),
    (400, "Volume 123 is already attached to a Linode.", None, Conflict, None),
    (400, "Image must be available to be replicated.", None, IncorrectState, None),
    (400, "Linode 123 already booted.", None, IncorrectState, None),
    (400, "Linode must be powered off", None, IncorrectState, None),
    (400, "A valid plan type by that ID was not found", "type", InvalidRequest, "instance_type"),
    (400, "Linode has more disk allocated than the new plan allows.", None, InvalidRequest, "instance_type"),
    (400, "image is not valid", "image", InvalidRequest, "image"),
    (400, "region is not valid", "region", InvalidRequest, "region"),
    (400, "Length must be 3-50 characters", "tags", InvalidRequest, "tags"),
    (400, "something new", "firewall_id", InvalidRequest, "security_groups"),
    (400, "something new", None, InvalidRequest, None),
    (401, "Invalid Token", None, AuthFailed, None),
    (403, "Your OAuth token is not authorized to use this endpoint.", None, PermissionDenied, None),
    (404, "Not found", None, NotFound, None),
    (429, "Too many requests", None, RateLimited, None),
    (500, "An error occurred", None, ProviderFault, None),
    (503, "The service is temporarily unavailable.", None, ProviderFault, None),
]


@pytest.mark.parametrize(("status", "reason", "field", "meaning", "ours"), ROWS, ids=[row[1] for row in ROWS])
def test_an_answer_has_its_meaning_and_its_field(status, reason, field, meaning, ours):
    error = refused(status, reason, field)
    assert type(error) is meaning
    assert (error.message, error.provider, error.operation) == (reason, "linode", "instances.create")
    assert error.code == (f"invalid_{field.replace('[1]', '')}" if field else "error")
    assert getattr(error, "field", None) == ours


def test_every_sentence_is_tested():
    for sentence in VOCABULARY.sentences:
        assert any(sentence.says(row[0], row[1]) for row in ROWS), sentence.words


@pytest.mark.parametrize("body", ["<html>", "{}", '{"errors": []}', '{"errors": ["x"]}', '{"errors": [{}]}', "null"])
def test_a_body_that_says_nothing_leaves_the_status(body):
    for status, meaning in ((502, ProviderFault), (404, NotFound), (400, InvalidRequest)):
        assert type(VOCABULARY.from_exception(RefusedAnswer(status, {}, body), operation="x")) is meaning
