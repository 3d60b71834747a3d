"""Do the local Slack, webhook and mail sinks keep what they are sent, and refuse when they are told to?"""

import json
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import free_port
from deploy.local.sinks.messages import Messages
from tests.fixtures.tls import TLS


@dataclass
class Sinks:
    """A sinks process, its addresses, and how to end and start it."""

    folder: Path
    port: int
    smtp_port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "deploy.local.sinks", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--smtp-port", str(self.smtp_port), "--data-dir", str(self.folder / "sinks")]
        )
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            try:
                assert self.get("/healthz") == {"status": "ok"}
            except httpx.TransportError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the sinks did not start")

    def end(self, how: int) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(20)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> Any:
        return httpx.get(self.url(path), verify=TLS).json()

    def post(self, path: str, document: Any) -> httpx.Response:
        return httpx.post(self.url(path), json=document, verify=TLS)

    def mail(self, subject: str) -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, "canopy@example.com", "ops@example.com"
        message.set_content("The text.")
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as server:
            server.send_message(message)


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[Sinks]:
    started = Sinks(tmp_path, free_port(), free_port())
    started.start()
    yield started
    started.end(signal.SIGKILL)


def test_each_channel_lists_what_it_got_in_order(sinks: Sinks) -> None:
    assert sinks.post("/slack/T0/B0/x", {"text": "first"}).text == "ok"
    sinks.post("/webhook/orders", {"id": 1})
    sinks.post("/slack/T0/B0/x", {"text": "second"})
    sinks.mail("Grüße")
    slack = sinks.get("/messages?channel=slack")["messages"]
    assert [message["document"]["text"] for message in slack] == ["first", "second"]
    webhook = sinks.get("/messages?channel=webhook")["messages"]
    assert [(message["path"], message["document"]) for message in webhook] == [("/webhook/orders", {"id": 1})]
    mail = sinks.get("/messages?channel=email")["messages"][0]
    assert (mail["document"]["subject"], mail["path"]) == ("Grüße", "ops@example.com")
    assert mail["document"]["text"].strip() == "The text."
    everything = sinks.get("/messages")["messages"]
    assert [m["channel"] for m in everything] == ["slack", "webhook", "slack", "email"]


def test_headers_and_the_exact_body_are_kept_so_that_signatures_can_be_checked(sinks: Sinks) -> None:
    body = b'{"a":  1}'
    httpx.post(sinks.url("/webhook/x"), content=body, headers={"webhook-signature": "v1,abc"}, verify=TLS)
    message = sinks.get("/messages")["messages"][0]
    assert message["body"].encode() == body
    assert message["headers"]["webhook-signature"] == "v1,abc"


def test_slack_refuses_what_slack_refuses(sinks: Sinks) -> None:
    assert (sinks.post("/slack/a", {"attachment": 1}).status_code) == 400
    assert httpx.post(sinks.url("/slack/a"), content=b"not json", verify=TLS).text == "invalid_payload"
    assert sinks.get("/messages")["messages"] == []
    assert len(sinks.get("/messages?refused=true")["messages"]) == 2


def test_a_sink_refuses_as_often_as_it_is_told(sinks: Sinks) -> None:
    sinks.post("/_sink/fault", {"path": "/slack/*", "status": 429, "count": 2, "retry_after_s": 3})
    answers = [sinks.post("/slack/a", {"text": str(number)}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["3", "3", None]
    assert [m["document"]["text"] for m in sinks.get("/messages")["messages"]] == ["2"]
    assert [m["status"] for m in sinks.get("/messages?refused=true")["messages"]] == [429, 429, 200]
    assert sinks.get("/_sink/fault") == {"faults": []}


def test_a_message_can_arrive_while_its_sender_hears_an_error(sinks: Sinks) -> None:
    sinks.post("/_sink/fault", {"path": "/webhook/*", "status": 500, "after": True})
    assert sinks.post("/webhook/a", {}).status_code == 500
    assert len(sinks.get("/messages")["messages"]) == 1


def test_mail_is_refused_for_a_while_on_demand(sinks: Sinks) -> None:
    sinks.post("/_sink/fault", {"path": "email", "status": 451})
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        sinks.mail("first")
    sinks.mail("second")
    assert [m["document"]["subject"] for m in sinks.get("/messages")["messages"]] == ["second"]


@pytest.mark.parametrize(
    "document", [{}, {"path": "/slack/*"}, {"path": "/slack/*", "status": 99}, {"path": 1, "status": 500}, [], {"x": 1}]
)
def test_a_fault_that_makes_no_sense_is_refused(sinks: Sinks, document: Any) -> None:
    answer = sinks.post("/_sink/fault", document)
    assert answer.status_code == 422
    assert sinks.get("/_sink/fault") == {"faults": []}


def test_messages_survive_a_kill_and_their_numbers_never_repeat(sinks: Sinks) -> None:
    sinks.post("/slack/a", {"text": "kept"})
    sinks.end(signal.SIGKILL)
    sinks.start()
    assert [m["document"]["text"] for m in sinks.get("/messages")["messages"]] == ["kept"]
    httpx.delete(sinks.url("/messages"), verify=TLS)
    assert sinks.get("/messages")["messages"] == []
    sinks.end(signal.SIGKILL)
    sinks.start()
    assert sinks.get("/messages")["messages"] == []
    sinks.post("/slack/a", {"text": "new"})
    assert [m["sequence"] for m in sinks.get("/messages")["messages"]] == [2]


def test_sigterm_ends_the_sinks_in_order(sinks: Sinks) -> None:
    assert sinks.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    sinks.start()


def test_half_a_line_left_by_a_kill_hides_no_other_message(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    Messages(path).add("slack", "/slack/a", {}, "first", None, 200)
    with path.open("ab") as file:
        file.write(b"\n" + json.dumps({"sequence": 2}).encode()[:7])
    reopened = Messages(path)
    reopened.add("slack", "/slack/a", {}, "second", None, 200)
    assert [m["body"] for m in Messages(path).listed(None, refused=False)] == ["first", "second"]


def test_the_page_shows_messages_and_runs_nothing_of_them(sinks: Sinks) -> None:
    sinks.post("/slack/a", {"text": "<script>alert(1)</script>"})
    page = httpx.get(sinks.url("/"), verify=TLS).text
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_unknown_channels_and_methods_are_refused(sinks: Sinks) -> None:
    assert httpx.get(sinks.url("/messages?channel=pigeon"), verify=TLS).status_code == 422
    assert httpx.get(sinks.url("/slack/a"), verify=TLS).status_code == 405
    assert sinks.post("/pigeon/a", {}).status_code == 404
