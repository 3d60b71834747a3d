"""A provider whose limit nobody is told: a token bucket behind a socket, whose refill changes while it runs.

`python -m deploy.benchmarks.hidden_limit '<Rules as JSON>'` prints its port. A request is a line `<id> <scope>`, the
answer comes after the latency: `<id> 1` taken, `<id> 0` one too many. `count` is answered with what was taken, refused
and refilled so far, as JSON. The first line starts the clock of the phases.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

LATENCY_S = 0.04


@dataclass
class Rules:
    """`phases` are (seconds, calls a second); the bucket holds one second's calls. The last phase does not end."""

    phases: list[tuple[float, float]]


@dataclass
class Count:
    """What came so far; `allowed` is what the limit refilled, whether or not anybody took it."""

    taken: int = 0
    refused: int = 0
    allowed: float = 0.0


@dataclass
class HiddenLimit:
    """The bucket and its books."""

    rules: Rules
    count: Count = field(default_factory=Count)
    tokens: float = 0.0
    began_s: float | None = None
    refilled_s: float = 0.0

    def takes(self) -> bool:
        """Whether one more call is within the limit, which is then spent."""
        self._refill()
        if self.tokens < 1:
            self.count.refused += 1
            return False
        self.tokens -= 1
        self.count.taken += 1
        return True

    def counted(self) -> Count:
        self._refill()
        return self.count

    def _refill(self) -> None:
        now_s = time.monotonic()
        if self.began_s is None:
            self.began_s = self.refilled_s = now_s
            self.tokens = self._limit(now_s)
        limit = self._limit(now_s)
        refilled = limit * (now_s - self.refilled_s)
        self.count.allowed += refilled
        self.tokens = min(limit, self.tokens + refilled)
        self.refilled_s = now_s

    def _limit(self, now_s: float) -> float:
        left_s = now_s - (self.began_s or now_s)
        for seconds, limit in self.rules.phases:
            if left_s < seconds:
                return limit
            left_s -= seconds
        return self.rules.phases[-1][1]


async def serve(rules: Rules) -> None:
    limit = HiddenLimit(rules)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while line := await reader.readline():
            identifier = line.split()[0].decode()
            if identifier == "count":
                writer.write(json.dumps(asdict(limit.counted())).encode() + b"\n")
                continue
            loop.call_later(LATENCY_S / 2, _decide, limit, identifier, writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _decide(limit: HiddenLimit, identifier: str, writer: asyncio.StreamWriter) -> None:
    answer = f"{identifier} {int(limit.takes())}\n".encode()
    asyncio.get_running_loop().call_later(LATENCY_S / 2, _write, writer, answer)


def _write(writer: asyncio.StreamWriter, answer: bytes) -> None:
    if not writer.is_closing():
        writer.write(answer)


if __name__ == "__main__":
    asyncio.run(serve(Rules(**json.loads(sys.argv[1]))))
