"""How does an alert read in Slack, in a mail, in a webhook? Tenants' texts are escaped for each."""

import base64
import hashlib
import hmac
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

COLORS: Final = {
    "info": "#2f80ed", "warning": "#f2c94c", "error": "#f2994a", "critical": "#eb5757", "emergency": "#9b1c1c",
}  # fmt: skip
RESOLVED_COLOR: Final = "#27ae60"
REPEAT_NOTE: Final = "Possible repeat: an earlier attempt may have arrived."
_HEADER_MOST: Final = 150  # docs.slack.dev/reference/block-kit/blocks/header-block


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told: the kind, the alert's facts, its address, whether it may be a repeat.

    Kinds: fired, resolved, reactivated (its suppression ended, the fault did not), test.
    """

    kind: str
    alert: Mapping[str, Any]
    url: str
    possible_repeat: bool

    @property
    def title(self) -> str:
        severity = str(self.alert["severity_level"]).upper()
        still = f"STILL {severity}"
        said = {"fired": severity, "resolved": "RESOLVED", "reactivated": still, "test": "TEST"}[self.kind]
        resource = self.alert.get("resource_name")
        return f"[{said}] {self.alert['alert_name']}" + (f" on {resource}" if resource else "")

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Label and value; a value that is not known is said to be so."""
        alert = self.alert
        found = [("Severity", str(alert["severity_level"]))]
        if alert.get("resource_id"):
            found.append(("Resource", f"{alert.get('resource_name') or 'unknown'} ({alert['resource_id']})"))
        if alert.get("metric"):
            found.append(("Value", f"{alert['metric']} = {_number(alert.get('current_value'))}"))
            found.append(("Threshold", f"{alert.get('operator')} {_number(alert.get('threshold'))}"))
        found.append(("Triggered", str(alert["triggered_at"])))
        if self.kind == "resolved":
            found.append(("Resolved", str(alert.get("resolved_at") or "unknown")))
        return found


def _number(value: Any) -> str:
    """Two decimals; of less than a hundredth two digits, since what is not zero must not read as zero."""
    if value is None:
        return "unknown"
    return f"{value:.2g}" if 0 < abs(value) < 0.01 else f"{value:.2f}".rstrip("0").rstrip(".")


def address_of(alert: Mapping[str, Any], public_url: str, console_url: str | None) -> str:
    """Where an alert is looked at: in the console where there is one, else in the REST API, which wants a token."""
    if console_url is None or alert.get("id") is None:
        return public_url.rstrip("/") + str(alert["link"])
    return f"{console_url.rstrip('/')}/infrastructure/monitoring/alerts/{alert['id']}"


def slack_text(text: str) -> str:
    """Escaped as Slack asks: & < > only (docs.slack.dev, "Formatting message text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_message(notice: Notice) -> dict[str, Any]:
    """A Block Kit message for an incoming webhook, with a text for notifications."""
    fields = [{"type": "mrkdwn", "text": f"*{label}*\n{slack_text(value)[:1900]}"} for label, value in notice.facts]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": notice.title[:_HEADER_MOST], "emoji": False}},
        {"type": "section", "fields": fields[:10]},
    ]
    description = notice.alert.get("description")
    if description:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": slack_text(description)[:2900]}})
    context = [{"type": "mrkdwn", "text": f"<{notice.url}|Open in Canopy>"}]
    if notice.possible_repeat:
        context.append({"type": "mrkdwn", "text": REPEAT_NOTE})
    blocks.append({"type": "context", "elements": context})
    color = RESOLVED_COLOR if notice.kind == "resolved" else COLORS[str(notice.alert["severity_level"])]
    return {"text": slack_text(notice.title), "attachments": [{"color": color, "blocks": blocks}]}


def mail_bodies(notice: Notice) -> tuple[str, str, str]:
    """(subject, plain text, HTML)."""
    description = str(notice.alert.get("description") or "")
    notes = [REPEAT_NOTE] if notice.possible_repeat else []
    lines = [notice.title, "", *(f"{label}: {value}" for label, value in notice.facts)]
    text = "\n".join([*lines, "", description, *notes, "", notice.url, ""])
    rows = "".join(
        f"<tr><th align='left'>{html.escape(label)}</th><td>{html.escape(value)}</td></tr>"
        for label, value in notice.facts
    )
    note = "".join(f"<p><em>{html.escape(each)}</em></p>" for each in notes)
    page = (
        f"<h2>{html.escape(notice.title)}</h2><table>{rows}</table><p>{html.escape(description)}</p>{note}"
        f'<p><a href="{html.escape(notice.url)}">Open in Canopy</a></p>'
    )
    return notice.title, text, page


def webhook_document(notice: Notice, event_type: str, time: str) -> dict[str, Any]:
    """The body of a generic webhook (Standard Webhooks: type, timestamp, data)."""
    return {
        "type": event_type,
        "timestamp": time,
        "data": {"alert": dict(notice.alert), "url": notice.url},
        "possible_repeat": notice.possible_repeat,
    }


def webhook_headers(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`; the id is the same at every attempt."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{signature}",
    }


def test_alert(channel_name: str, time: str) -> dict[str, Any]:
    """The facts of an alert that is none: what a channel's test shows."""
    return {
        "alert_name": f"Test of channel {channel_name}",
        "description": "Nothing is wrong: somebody asked Canopy to test this channel.",
        "severity_level": "info",
        "triggered_at": time,
        "link": "/api/notification-channels",
    }
