"""How is something posted to a tenant's webhook? To the checked address only, without redirects, within limits."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from shared.kit.clock import Clock
from shared.outward.addresses import Target

ANSWER_BYTES = 4096
RETRY_AFTER_MOST_S = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said; `retry_after_s` is its own wish, None without one."""

    status: int
    retry_after_s: float | None
    text: str


class NoAnswer(Exception):
    """Refused, broken or timed out: whether it was received is unknown."""


class Poster:
    """One pool of connections for all webhooks of a process."""

    def __init__(self, timeout_s: float, clock: Clock) -> None:
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=10)
        self._client = httpx.AsyncClient(
            timeout=timeout_s, follow_redirects=False, trust_env=False, limits=limits, headers={"User-Agent": "canopy"}
        )
        self._clock = clock

    async def post(self, target: Target, body: bytes, headers: dict[str, str]) -> Answer:
        """Post JSON. Raises NoAnswer. A redirect is an answer like any other: it is not followed."""
        url = httpx.URL(target.url)
        host = url.netloc.decode("ascii")
        pinned = url.copy_with(host=target.address)
        extensions = {"sni_hostname": target.host} if target.scheme == "https" else {}
        own = {"Host": host, "Content-Type": "application/json", **headers}
        try:
            async with self._client.stream("POST", pinned, content=body, headers=own, extensions=extensions) as answer:
                text = await _beginning(answer)
                return Answer(answer.status_code, self._retry_after(answer), text)
        except (httpx.HTTPError, OSError) as error:
            raise NoAnswer(type(error).__name__) from error

    async def close(self) -> None:
        await self._client.aclose()

    def _retry_after(self, answer: httpx.Response) -> float | None:
        """RFC 9110, section 10.2.3: seconds or a date; at most an hour is obeyed."""
        value = answer.headers.get("Retry-After")
        if value is None:
            return None
        try:
            seconds = float(value)
        except ValueError:
            try:
                seconds = (parsedate_to_datetime(value) - self._clock.now()).total_seconds()
            except (ValueError, TypeError):
                return None
        return min(max(seconds, 0.0), RETRY_AFTER_MOST_S) if seconds == seconds else None  # noqa: PLR0124 - not NaN


async def _beginning(answer: httpx.Response) -> str:
    """The first bytes of a body: a tenant's server may send for ever."""
    found = b""
    async for chunk in answer.aiter_raw():
        found += chunk
        if len(found) >= ANSWER_BYTES:
            break
    return found[:ANSWER_BYTES].decode("utf-8", "replace")
