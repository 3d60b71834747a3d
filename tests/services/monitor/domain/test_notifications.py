"""A notification says what is known, keeps a tenant's text a text, and is signed as the standard asks."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain import notifications
from services.monitor.domain.notifications import (
    COLORS,
    REPEAT_NOTE,
    RESOLVED_COLOR,
    Notice,
    address_of,
    mail_bodies,
    slack_message,
    slack_text,
    webhook_document,
    webhook_headers,
)
from shared.messages.alerts import SEVERITIES

URL = "https://canopy.example.com/api/cloud/monitoring/alerts/1"
ALERT: Mapping[str, Any] = {
    "alert_name": "CPU high",
    "description": "web: cpu_utilization > 80",
    "severity_level": "warning",
    "resource_id": "r-1",
    "resource_name": "web",
    "metric": "cpu_utilization",
    "operator": ">",
    "threshold": 80.0,
    "current_value": 91.256,
    "triggered_at": "2026-11-20T12:00:00Z",
    "resolved_at": None,
}
EVIL = "<!channel> & <script>alert('x')</script> <http://evil.example.com|click>"
TEXTS = st.text(max_size=400)


def notice(kind: str = "fired", *, possible_repeat: bool = False, **changes: Any) -> Notice:
    return Notice(kind, {**ALERT, **changes}, URL, possible_repeat)


def blocks_of(told: Notice) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = slack_message(told)["attachments"][0]["blocks"]
    return blocks


def texts_of(part: Any) -> list[str]:
    """Every mrkdwn text of a message."""
    if isinstance(part, list):
        return [text for each in part for text in texts_of(each)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if part.get("type") == "mrkdwn" else []
    return own + [text for value in part.values() for text in texts_of(value)]


@pytest.mark.parametrize(
    ("kind", "changes", "title"),
    [
        ("fired", {}, "[WARNING] CPU high on web"),
        ("fired", {"severity_level": "emergency"}, "[EMERGENCY] CPU high on web"),
        ("resolved", {}, "[RESOLVED] CPU high on web"),
        ("test", {"resource_name": None}, "[TEST] CPU high"),
    ],
)
def test_a_title_says_what_happened_to_what(kind: str, changes: Mapping[str, Any], title: str) -> None:
    assert notice(kind, **changes).title == title


def test_the_facts_of_an_alert_are_its_resource_its_value_and_its_times() -> None:
    assert notice("resolved", resolved_at="2026-11-20T12:05:00Z").facts == [
        ("Severity", "warning"),
        ("Resource", "web (r-1)"),
        ("Value", "cpu_utilization = 91.26"),
        ("Threshold", "> 80"),
        ("Triggered", "2026-11-20T12:00:00Z"),
        ("Resolved", "2026-11-20T12:05:00Z"),
    ]


def test_an_alert_without_resource_and_metric_has_no_facts_about_them() -> None:
    labels = [label for label, _ in notice(resource_id=None, metric=None).facts]
    assert labels == ["Severity", "Triggered"]


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    facts = dict(notice("resolved", resource_name=None, current_value=None, threshold=None).facts)
    assert facts["Resource"] == "unknown (r-1)"
    assert facts["Value"] == "cpu_utilization = unknown"
    assert facts["Threshold"] == "> unknown"
    assert facts["Resolved"] == "unknown"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.0, "0"),
        (100.0, "100"),
        (1000, "1000"),
        (91.256, "91.26"),
        (0.5, "0.5"),
        (0.01, "0.01"),
        (0.001, "0.001"),
        (-0.004, "-0.004"),
        (123456789.0, "123456789"),
    ],
)
def test_a_number_is_short_and_what_is_not_zero_does_not_read_as_zero(value: float, shown: str) -> None:
    assert dict(notice(current_value=value).facts)["Value"] == f"cpu_utilization = {shown}"


@pytest.mark.parametrize("severity", SEVERITIES)
def test_each_severity_has_its_color_and_resolved_has_its_own(severity: str) -> None:
    fired, resolved = (slack_message(notice(kind, severity_level=severity)) for kind in ("fired", "resolved"))
    assert fired["attachments"][0]["color"] == COLORS[severity]
    assert resolved["attachments"][0]["color"] == RESOLVED_COLOR


def test_a_slack_message_can_be_read_without_its_blocks_and_leads_to_the_alert() -> None:
    message = slack_message(notice())
    assert message["text"] == "[WARNING] CPU high on web"
    assert f"<{URL}|Open in Canopy>" in texts_of(message)
    json.dumps(message)


def test_an_alert_without_description_has_no_empty_block() -> None:
    """Slack refuses a section with an empty text."""
    assert len(blocks_of(notice(description=None))) == len(blocks_of(notice(description=""))) == 3
    assert len(blocks_of(notice())) == 4


@given(name=TEXTS, description=TEXTS, resource_name=TEXTS)
def test_no_text_of_a_tenant_is_markup_or_too_long_in_slack(name: str, description: str, resource_name: str) -> None:
    told = notice(alert_name=name, description=description * 10, resource_name=resource_name * 10)
    texts = [text for text in texts_of(slack_message(told)) if URL not in text]
    assert all("<" not in text and ">" not in text for text in texts)
    header, facts = blocks_of(told)[:2]
    assert len(header["text"]["text"]) <= 150
    assert all(len(field["text"]) <= 2000 for field in facts["fields"])
    assert all(len(text) <= 3000 for text in texts)


@given(text=TEXTS)
def test_slack_text_can_be_read_back(text: str) -> None:
    assert slack_text(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


def test_a_mail_holds_the_facts_as_text_and_as_a_page() -> None:
    subject, text, page = mail_bodies(notice())
    assert subject == "[WARNING] CPU high on web"
    for part in (text, page):
        assert "cpu_utilization = 91.26" in part
        assert URL in part
        assert "web: cpu_utilization" in part


@pytest.mark.parametrize("field", ["alert_name", "description", "resource_name", "metric"])
def test_no_text_of_a_tenant_is_markup_in_a_mail(field: str) -> None:
    page = mail_bodies(Notice("fired", {**ALERT, field: EVIL}, URL, possible_repeat=False))[2]
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_mail_without_description_does_not_say_none() -> None:
    assert "None" not in "".join(mail_bodies(notice(description=None)))


@pytest.mark.parametrize("possible_repeat", [True, False])
def test_a_possible_repeat_says_so_everywhere(possible_repeat: bool) -> None:  # noqa: FBT001
    told = notice(possible_repeat=possible_repeat)
    _, text, page = mail_bodies(told)
    assert (REPEAT_NOTE in texts_of(slack_message(told))) is possible_repeat
    assert (REPEAT_NOTE in text) is possible_repeat
    assert (REPEAT_NOTE in page) is possible_repeat
    assert webhook_document(told, "alert.fired", "now")["possible_repeat"] is possible_repeat


def test_a_webhook_holds_type_time_and_the_whole_alert() -> None:
    assert webhook_document(notice(), "alert.fired", "2026-11-20T12:00:01Z") == {
        "type": "alert.fired",
        "timestamp": "2026-11-20T12:00:01Z",
        "data": {"alert": ALERT, "url": URL},
        "possible_repeat": False,
    }


def test_a_signature_is_that_of_the_standard() -> None:
    """The published example of Standard Webhooks 1.0 (libraries' test vector)."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = webhook_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(key=st.binary(min_size=24, max_size=64), body=st.binary(max_size=100), timestamp_s=st.integers(0, 2**33))
def test_a_receiver_can_check_a_signature_from_what_it_got(key: bytes, body: bytes, timestamp_s: int) -> None:
    headers = webhook_headers(key, "msg_1", timestamp_s, body)
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1"
    assert hmac.compare_digest(base64.b64decode(signature), hmac.new(key, signed, hashlib.sha256).digest())


def test_the_test_of_a_channel_can_be_told_everywhere_and_says_that_nothing_is_wrong() -> None:
    told = Notice("test", notifications.test_alert("ops", "2026-11-20T12:00:00Z"), URL, possible_repeat=False)
    assert told.title == "[TEST] Test of channel ops"
    assert told.facts == [("Severity", "info"), ("Triggered", "2026-11-20T12:00:00Z")]
    assert "Nothing is wrong" in mail_bodies(told)[1]
    assert "Nothing is wrong" in str(slack_message(told))


def test_an_alert_that_is_active_again_says_that_it_still_holds() -> None:
    assert notice("reactivated").title == "[STILL WARNING] CPU high on web"
    assert slack_message(notice("reactivated"))["attachments"][0]["color"] == COLORS["warning"]


def test_links_lead_to_the_console_where_there_is_one() -> None:
    alert = {"id": "a-1", "link": "/api/cloud/monitoring/alerts/a-1"}
    rest = address_of(alert, "https://canopy.example.com/", None)
    assert rest == "https://canopy.example.com/api/cloud/monitoring/alerts/a-1"
    console = address_of(alert, "https://canopy.example.com", "https://console.example.com/")
    assert console == "https://console.example.com/infrastructure/monitoring/alerts/a-1"
