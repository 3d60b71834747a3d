"""A channel is told what it needs, shows no secret, and hears of the alerts that are meant for it."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.channels import (
    MASK,
    MOST_RECIPIENTS,
    SECRET_PREFIX,
    check_config,
    hears,
    listeners,
    masked,
    new_secret,
    signing_key,
)
from shared.kit.errors import InvalidInput
from shared.messages.alerts import SEVERITIES

CHANNEL = UUID(int=7)
SECRET = new_secret(bytes(range(24)))
URL = "https://hooks.example.com/T1/B2/very-secret"


def is_mail_address(text: str) -> bool:
    return "@" in text


def secret_of(length: int) -> str:
    return SECRET_PREFIX + base64.b64encode(bytes(length)).decode()


def channel(channel_type: str = "email", minimum_severity: str = "info", *, is_enabled: bool = True) -> dict[str, Any]:
    return {
        "id": CHANNEL,
        "channel_type": channel_type,
        "minimum_severity": minimum_severity,
        "is_enabled": is_enabled,
    }


@pytest.mark.parametrize(
    ("channel_type", "config"),
    [
        ("slack", {"webhook_url": URL}),
        ("slack", {"webhook_url": "h" * 2000}),
        ("webhook", {"url": URL}),
        ("webhook", {"url": URL, "signing_secret": SECRET}),
        ("webhook", {"url": URL, "signing_secret": secret_of(64)}),
        ("email", {"recipients": ["a@example.com"]}),
        ("email", {"recipients": ["a@example.com"] * MOST_RECIPIENTS}),
    ],
)
def test_a_config_that_fits_its_type_is_taken_as_it_is(channel_type: str, config: dict[str, Any]) -> None:
    assert check_config(channel_type, config, is_mail_address) == config


@pytest.mark.parametrize(
    ("channel_type", "config", "pointers"),
    [
        ("slack", {}, ["/config/webhook_url"]),
        ("slack", {"webhook_url": ""}, ["/config/webhook_url"]),
        ("slack", {"webhook_url": None}, ["/config/webhook_url"]),
        ("slack", {"webhook_url": "h" * 2001}, ["/config/webhook_url"]),
        ("slack", {"url": URL}, ["/config/webhook_url", "/config/url"]),
        ("webhook", {"url": URL, "colour": "red"}, ["/config/colour"]),
        ("webhook", {"url": 7}, ["/config/url"]),
        ("webhook", {"url": URL, "signing_secret": ""}, ["/config/signing_secret"]),
        ("webhook", {"url": URL, "signing_secret": None}, ["/config/signing_secret"]),
        ("webhook", {"url": URL, "signing_secret": "whsec_not base64"}, ["/config/signing_secret"]),
        ("webhook", {"url": URL, "signing_secret": "whsec_äöü"}, ["/config/signing_secret"]),
        ("webhook", {"url": URL, "signing_secret": SECRET.removeprefix(SECRET_PREFIX)}, ["/config/signing_secret"]),
        ("webhook", {"url": URL, "signing_secret": secret_of(23)}, ["/config/signing_secret"]),
        ("webhook", {"url": URL, "signing_secret": secret_of(65)}, ["/config/signing_secret"]),
        ("email", {}, ["/config/recipients"]),
        ("email", {"recipients": []}, ["/config/recipients"]),
        ("email", {"recipients": "a@example.com"}, ["/config/recipients"]),
        ("email", {"recipients": ["a@example.com"] * (MOST_RECIPIENTS + 1)}, ["/config/recipients"]),
        ("email", {"recipients": ["a@example.com", "nobody", None]}, ["/config/recipients/1", "/config/recipients/2"]),
    ],
)
def test_each_fault_of_a_config_is_pointed_at(
    channel_type: str, config: Mapping[str, Any], pointers: Sequence[str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_config(channel_type, config, is_mail_address)
    assert [error.pointer for error in caught.value.errors] == pointers


@given(key=st.binary(min_size=24, max_size=64))
def test_a_secret_that_was_made_is_accepted_and_signs_with_its_bytes(key: bytes) -> None:
    config = {"url": URL, "signing_secret": new_secret(key)}
    assert check_config("webhook", config, is_mail_address) == config
    assert signing_key(config["signing_secret"]) == key


@pytest.mark.parametrize("host", ["hooks.example.com", None])
@pytest.mark.parametrize(
    "config", [{"webhook_url": URL}, {"url": URL, "signing_secret": SECRET}, {"recipients": ["a@example.com"]}]
)
def test_no_secret_is_shown(config: Mapping[str, Any], host: str | None) -> None:
    shown = masked(config, host)
    assert set(shown) == set(config)
    assert "very-secret" not in str(shown)
    assert SECRET not in str(shown)


def test_of_an_address_the_host_is_shown_and_recipients_are_shown_whole() -> None:
    assert masked({"url": URL, "signing_secret": SECRET}, "hooks.example.com") == {
        "url": f"hooks.example.com/{MASK}",
        "signing_secret": MASK,
    }
    assert masked({"recipients": ["a@example.com"]}, None) == {"recipients": ["a@example.com"]}


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("minimum", SEVERITIES)
def test_a_rule_that_names_nobody_reaches_every_channel_whose_severity_it_meets(severity: str, minimum: str) -> None:
    order = ["info", "warning", "error", "critical", "emergency"]
    assert hears(channel(minimum_severity=minimum), severity, []) == (order.index(severity) >= order.index(minimum))


@pytest.mark.parametrize(
    ("named", "is_heard"),
    [
        ([str(CHANNEL)], True),
        (["email"], True),
        (["slack", "email"], True),
        (["slack"], False),
        ([str(UUID(int=8))], False),
    ],
)
def test_a_rule_that_names_channels_reaches_exactly_those_whatever_the_severity(
    named: Sequence[str],
    is_heard: bool,  # noqa: FBT001
) -> None:
    assert hears(channel(minimum_severity="emergency"), "info", named) is is_heard
    assert hears(channel(minimum_severity="info"), "emergency", named) is is_heard


@pytest.mark.parametrize("named", [[], [str(CHANNEL)], ["email"]])
def test_a_channel_that_is_switched_off_hears_nothing(named: Sequence[str]) -> None:
    assert not hears(channel(is_enabled=False), "emergency", named)


def test_named_channels_that_are_all_gone_leave_no_alert_silent() -> None:
    slack = channel("slack", "error")
    assert listeners([slack], "error", [str(UUID(int=99)), "email"]) == [slack]
    assert listeners([slack], "info", [str(UUID(int=99))]) == []


def test_a_named_channel_that_is_there_is_told_alone_and_disabled_it_stays_silent() -> None:
    mail, slack = channel("email"), {**channel("slack"), "id": UUID(int=8)}
    assert listeners([mail, slack], "info", ["email", str(UUID(int=99))]) == [mail]
    assert listeners([{**mail, "is_enabled": False}, slack], "info", ["email"]) == []
