"""How many requests a second does an address answer? Keep-alive connections, one request in flight on each.

Runs as a process of its own (`python -m deploy.benchmarks.http_load`), so that its CPU is seen apart from the server's:
it takes part in what two cores can do, and is stated with the result.
"""

import argparse
import asyncio
import itertools
import json
import resource
import time
from collections.abc import Sequence
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import uvloop


class Connection(asyncio.Protocol):
    """Sends the next of its requests as soon as the answer to the last is whole, round and round."""

    def __init__(self, requests: Sequence[bytes], until_s: float, done: "asyncio.Future[None]") -> None:
        self.latencies_s: list[float] = []
        self.failures = 0
        self._requests, self._until_s, self._done = itertools.cycle(requests), until_s, done
        self._buffer = bytearray()
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._buffer[:head_end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self._buffer) < head_end + 4 + length:
            return
        now_s = time.perf_counter()
        self.latencies_s.append(now_s - self._sent_s)
        self.failures += not head.startswith(b"http/1.1 200")
        self._buffer.clear()
        if now_s < self._until_s:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _send(self) -> None:
        self._sent_s = time.perf_counter()
        self._transport.write(next(self._requests))


async def measure(urls: Sequence[str], api_key: str, connections: int, seconds: float) -> dict[str, float]:
    """Requests a second, latencies in ms, failures, and this process's CPU as a share of one core.

    All addresses are of one server. Each connection begins with another one of them.
    """
    parts = urlsplit(urls[0])
    requests = [_request(url, api_key) for url in urls]
    loop = asyncio.get_running_loop()
    started_s = time.perf_counter()
    ended: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    protocols = [
        Connection([*requests[first % len(urls) :], *requests[: first % len(urls)]], started_s + seconds, future)
        for first, future in enumerate(ended)
    ]
    for protocol in protocols:
        await loop.create_connection(partial(_given, protocol), parts.hostname or "127.0.0.1", parts.port or 80)
    await asyncio.gather(*ended)
    took_s = time.perf_counter() - started_s
    latencies = sorted(latency for protocol in protocols for latency in protocol.latencies_s)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "requests_per_s": len(latencies) / took_s,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p95_ms": latencies[int(len(latencies) * 0.95)] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "failures": sum(protocol.failures for protocol in protocols),
        "load_generator_cpu": (usage.ru_utime + usage.ru_stime) / took_s,
    }


def _request(url: str, api_key: str) -> bytes:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    head = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-API-Key: {api_key}\r\nAccept: application/json\r\n\r\n"
    return head.encode()


def _given(protocol: Connection) -> Connection:
    return protocol


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="+")
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    found = uvloop.run(measure(arguments.url, arguments.api_key, arguments.connections, arguments.seconds))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
