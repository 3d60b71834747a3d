"""How is a mail received?"""

import asyncio
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.sinks.faults import Faults
from deploy.local.sinks.messages import Messages

SIZE_LIMIT_BYTES = 1024 * 1024


def read_mail(content: bytes) -> dict[str, str]:
    """Subject, addresses and the plain text of a mail, or its HTML when it has no plain text."""
    mail = message_from_bytes(content, policy=policy.default)
    part = mail.get_body(preferencelist=("plain", "html"))
    text = part.get_content() if part is not None else ""
    return {
        "subject": str(mail["subject"] or ""),
        "from": str(mail["from"] or ""),
        "to": str(mail["to"] or ""),
        "text": str(text),
    }


class Mailbox:
    """The aiosmtpd handler: keeps every mail, unless a fault says otherwise."""

    def __init__(self, messages: Messages, faults: Faults) -> None:
        self._messages = messages
        self._faults = faults

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The SMTP answer to a mail; 451 means that the sender may try again (RFC 5321, section 4.2.2)."""
        content = envelope.original_content or b""
        fault = self._faults.take("email")
        if fault is not None:
            await asyncio.sleep(fault.latency_ms / 1000)
        status = 200 if fault is None or fault.after else fault.status
        mail = message_from_bytes(content, policy=policy.default)
        headers = {name: str(value) for name, value in mail.items()}
        recipients = ", ".join(envelope.rcpt_tos)
        body = content.decode("utf-8", "replace")
        self._messages.add("email", recipients, headers, body, read_mail(content), status)
        if fault is None or fault.status < 300:
            return "250 OK"
        return f"{fault.status if fault.status in range(400, 600) else 451} a fault on demand"


def smtp_protocol(messages: Messages, faults: Faults) -> SMTP:
    """One SMTP conversation."""
    return SMTP(Mailbox(messages, faults), data_size_limit=SIZE_LIMIT_BYTES, enable_SMTPUTF8=True)
