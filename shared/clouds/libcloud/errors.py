"""Which word of our vocabulary is an answer of a cloud that says what is wrong by a status and a sentence?

DigitalOcean, Linode and Vultr have hardly any codes: a table per provider says which sentences mean more than their
status does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from libcloud.common.types import LibcloudError

from shared.clouds.errors import (
    AuthFailed,
    CloudError,
    Conflict,
    FieldProblem,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ProviderFault,
    RateLimited,
    Unreachable,
)
from shared.clouds.libcloud.connection import RefusedAnswer

_MESSAGE_CHARACTERS_MAX = 1000

STATUSES: Mapping[int, type[CloudError]] = {
    401: AuthFailed,
    403: PermissionDenied,
    404: NotFound,
    408: ProviderFault,
    409: Conflict,
    429: RateLimited,
}
"""What a status alone means; others from 500 on are the provider's fault, the rest is ours (`InvalidRequest`)."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """An answer of this status whose message contains `words` (a pattern, any case) means `meaning`.

    `field` is what it complains about, as our configuration calls it.
    """

    status: int
    words: str
    meaning: type[CloudError]
    field: str | None = None

    def says(self, status: int, message: str) -> bool:
        return status == self.status and re.search(self.words, message, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says; `field` as the provider calls it, empty when it names none."""

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How one provider complains: `read` finds the words in an error body, `fields` translates its names.

    `parse` makes a mapping of the body, which is JSON at most; it raises ValueError for what it cannot read.
    """

    provider: str
    sentences: Sequence[Sentence]
    read: Callable[[Mapping[str, Any]], Complaint]
    fields: Mapping[str, str]
    parse: Callable[[str], Any] = json.loads

    def from_exception(self, error: Exception, *, operation: str, secrets: Iterable[str] = ()) -> CloudError:
        """Our word for what a driver raised; `secrets` are cut out of its message."""
        if isinstance(error, RefusedAnswer):
            return self._from_answer(error, operation, secrets)
        code = type(error).__name__
        if isinstance(error, (requests.RequestException, OSError)):
            # Its text quotes addresses and proxies; the class says what a caller can use.
            return Unreachable(code, f"No answer ({code})", provider=self.provider, operation=operation)
        if isinstance(error, LibcloudError):
            return ProviderFault(code, "The answer is not JSON", provider=self.provider, operation=operation)
        return ProviderFault(
            "malformed_answer", f"The answer lacks what it should have ({code})", provider=self.provider,
            operation=operation,
        )  # fmt: skip

    def _from_answer(self, refused: RefusedAnswer, operation: str, secrets: Iterable[str]) -> CloudError:
        complaint = self._complaint(refused)
        known = next((each for each in self.sentences if each.says(refused.status, complaint.message)), None)
        meaning = known.meaning if known is not None else _by_status(refused.status)
        field = known.field if known is not None and known.field else self.fields.get(complaint.field, complaint.field)
        message = _safe(complaint.message, secrets)
        wish_s = retry_after_s(refused.headers)
        if issubclass(meaning, InvalidRequest):
            problems = (FieldProblem(field, message),) if field else ()
            return meaning(complaint.code, message, provider=self.provider, operation=operation, problems=problems)
        return meaning(complaint.code, message, provider=self.provider, operation=operation, retry_after_s=wish_s)

    def _complaint(self, refused: RefusedAnswer) -> Complaint:
        """A gateway's error page is no JSON; then the status is all that it says."""
        unread = Complaint(str(refused.status), f"HTTP {refused.status}")
        try:
            document = self.parse(refused.body)
            found = self.read(document) if isinstance(document, dict) else unread
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return unread
        return found


def _by_status(status: int) -> type[CloudError]:
    return STATUSES.get(status, ProviderFault if status >= 500 else InvalidRequest)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The provider's wish in seconds (libcloud turns its other form, a date, into seconds only later), else None."""
    value = headers.get("retry-after", "").strip()
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else None


def _safe(message: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        message = message.replace(secret, "***")
    return message[:_MESSAGE_CHARACTERS_MAX]
