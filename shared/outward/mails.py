"""How is a mail sent? Over the deployment's SMTP server, with headers that no tenant's text can break out of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage

import aiosmtplib


@dataclass(frozen=True, slots=True)
class MailServer:
    """The deployment's server; None as host: mail is not set up."""

    host: str | None
    port: int
    user: str | None
    password: str | None
    start_tls: bool
    sender: str
    timeout_s: float


class MailRefused(Exception):
    """The server refused the mail; `temporary` says whether a repeat can help (RFC 5321: 4yz against 5yz)."""

    def __init__(self, detail: str, *, temporary: bool, status: int | None = None) -> None:
        super().__init__(detail)
        self.temporary = temporary
        self.status = status


def is_address(text: str) -> bool:
    """A plain `somebody@example.com`, without name, comment or control characters."""
    if len(text) > 254 or not text.isprintable() or " " in text or "," in text:
        return False
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, MessageError):
        return False
    return bool(address.username and address.domain) and address.addr_spec == text


def compose(
    *, sender: str, recipients: Sequence[str], subject: str, text: str, html: str, message_id: str,
    headers: Mapping[str, str],
) -> EmailMessage:  # fmt: skip
    """Plain text with an HTML alternative. Control characters become spaces in headers, so that none begins anew."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = "".join(character if character.isprintable() else " " for character in subject)[:200]
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


async def send(server: MailServer, mail: EmailMessage) -> None:
    """Hand a mail to the server. Raises MailRefused; a recipient's refusal counts when none is left."""
    if server.host is None:
        raise MailRefused("this deployment sends no mail (CANOPY_SMTP_HOST is not set)", temporary=False)
    try:
        await aiosmtplib.send(
            mail, hostname=server.host, port=server.port, username=server.user, password=server.password,
            start_tls=True if server.start_tls else None, timeout=server.timeout_s,
        )  # fmt: skip
    except aiosmtplib.SMTPResponseException as error:
        raise MailRefused(str(error.message)[:300], temporary=error.code < 500, status=error.code) from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        temporary = any(refused.code < 500 for refused in error.recipients)
        raise MailRefused("every recipient was refused", temporary=temporary) from error
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise MailRefused(type(error).__name__, temporary=True) from error
