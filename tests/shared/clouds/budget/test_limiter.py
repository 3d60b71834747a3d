"""Do the calls of a real SDK keep to a simulated cloud's hidden limit, people's first, and no longer than they may wait?"""

import asyncio
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.clouds.budget.limiter import OWN_CODE, Limiter, budget_key, in_background
from shared.clouds.budget.rate import Api
from shared.clouds.errors import Conflict, RateLimited, Unreachable
from shared.clouds.libcloud.notices import Notice, notice_of
from shared.clouds.registry import open_cloud
from shared.clouds.settings import CloudSettings
from shared.kit.telemetry import CLOUD_THROTTLED
from tests.fixtures.clouds import SimulatedAws, SimulatedCloud

pytestmark = pytest.mark.anyio

TEN = Api("calls", rate_per_s=10, burst=1)


def account(**settings):
    return Limiter(CloudSettings(**settings)).account("aws", "123", lambda _: TEN)


async def test_an_sdks_calls_keep_to_a_limit_that_nobody_told(simulated_world: dict[str, SimulatedCloud]) -> None:
    """Real libcloud over HTTP, DigitalOcean's own refusals: of 60 calls at 30/s a few are refused and none fails."""
    simulated = simulated_world["digitalocean"]
    match = {"service": "digitalocean", "action": "account.get"}
    cloud = open_cloud(
        "digitalocean", simulated.credentials(), simulated.settings(cloud_budget_first_per_s=10, cloud_call_attempts=5)
    )
    throttled = CLOUD_THROTTLED.labels("digitalocean", "requests")
    before = throttled._value.get()
    simulated.fault(match=match, status=429, calls_per_s=30, calls_at_once=5)
    try:
        accounts = await asyncio.gather(*(cloud.authenticate() for _ in range(60)))
    finally:
        simulated.clear_faults()
        await cloud.close()
    assert len(accounts) == 60
    assert throttled._value.get() - before <= 12


async def test_aws_asks_by_action_so_that_one_that_is_throttled_holds_up_no_other(simulated_aws: SimulatedAws) -> None:
    settings = simulated_aws.settings(cloud_budget_wait_s=0.2, cloud_call_attempts=1)
    cloud = open_cloud("aws", simulated_aws.credentials(), settings)
    simulated_aws.fault(match={"action": "DescribeRegions"}, status=503, code="RequestLimitExceeded", retry_after_s=60)
    try:
        codes = []
        for _ in range(2):
            with pytest.raises(RateLimited) as caught:
                await cloud.regions()
            codes.append(caught.value.code)
        assert codes == ["RequestLimitExceeded", OWN_CODE]
        assert 50 < (caught.value.retry_after_s or 0) < 70
        await cloud.authenticate()
    finally:
        simulated_aws.clear_faults()
        await cloud.close()


async def test_people_wait_less_than_the_background() -> None:
    budget = account()
    order: list[str] = []

    async def call(name: str) -> None:
        async with budget.turn(name, "us-east-1"):
            order.append(name)

    with in_background():
        waiting = [asyncio.create_task(call("list")) for _ in range(4)]
    await asyncio.sleep(0)
    waiting.append(asyncio.create_task(call("start")))
    await asyncio.gather(*waiting)
    assert order.index("start") == 1  # the first was sent before anybody else came


async def test_who_would_wait_too_long_is_told_when_to_come_again() -> None:
    budget = account(cloud_budget_wait_s=0.15)
    began_s = time.monotonic()

    async def call() -> RateLimited | None:
        try:
            async with budget.turn("list", "us-east-1"):
                return None
        except RateLimited as error:
            return error

    refused = [error for error in await asyncio.gather(*(call() for _ in range(20))) if error is not None]
    assert 15 <= len(refused) < 20
    assert time.monotonic() - began_s < 2
    assert {error.code for error in refused} == {OWN_CODE}
    assert all(error.retry_after_s for error in refused)
    assert not budget._driver("list", "us-east-1")._lane.turns


async def test_only_a_throttled_call_counts_as_one_too_many() -> None:
    budget = account()
    for error in (Conflict, Unreachable):
        with pytest.raises(error):
            async with budget.turn("create", "us-east-1"):
                raise error("code", "message", provider="aws", operation="create")
    driver = budget._driver("create", "us-east-1")
    assert driver._lane.not_before_s == 0
    with pytest.raises(RateLimited):
        async with budget.turn("create", "us-east-1"):
            raise RateLimited("Throttling", "message", provider="aws", operation="create", retry_after_s=1000)
    assert driver._lane.not_before_s > time.time() + 990
    with pytest.raises(RateLimited) as caught:
        async with budget.turn("create", "us-east-1"):
            raise AssertionError("never sent")
    assert caught.value.code == OWN_CODE


@pytest.mark.parametrize("text", ["us-east-1", "*", ">", "a.b", "$KV", " ", "ü", "\r\nPUB x", ""])
def test_no_text_of_a_tenant_becomes_part_of_a_subject(text: str) -> None:
    key = budget_key("aws", f"secret-{text}", text, "ec2 DescribeInstances")
    assert re.fullmatch(r"aws\.[0-9a-f]{32}", key)
    if text != "us-east-1":
        with pytest.raises(ValueError, match="provider"):
            budget_key(text, "x", "y", "z")


def test_each_account_region_and_api_has_a_budget_of_its_own() -> None:
    keys = {budget_key("aws", *parts) for parts in (("a", "b", "c"), ("ab", "", "c"), ("a", "", "bc"), ("a", "b", "d"))}
    assert len(keys) == 4


class _NearlySpent(BaseHTTPRequestHandler):
    """A DigitalOcean that takes a hundred more calls in a thousand seconds."""

    def do_GET(self) -> None:
        body = b'{"account": {"uuid": "u", "email": "a@b"}}'
        self.send_response(200)
        told = {"RateLimit-Limit": 5000, "RateLimit-Remaining": 100, "RateLimit-Reset": int(time.time()) + 1000}
        for name, value in {**told, "Content-Type": "application/json", "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


async def test_what_an_answer_says_is_left_is_spread() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _NearlySpent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = CloudSettings(digitalocean_endpoint_url=f"http://127.0.0.1:{server.server_port}")
    limiter = Limiter(settings)
    cloud = open_cloud("digitalocean", {"token": "t" * 64}, settings, limiter)
    try:
        await cloud.authenticate()
    finally:
        server.shutdown()
        server.server_close()
        await cloud.close()
    [driver] = limiter._drivers.values()
    assert driver._lane.share_per_s == pytest.approx(0.1, rel=0.01)
    await limiter.close()


@pytest.mark.parametrize(
    ("headers", "notice"),
    [
        ({}, None),
        ({"ratelimit-limit": "5000", "ratelimit-remaining": "4000", "ratelimit-reset": "1100"}, None),
        ({"ratelimit-limit": "5000", "ratelimit-remaining": "10", "ratelimit-reset": "900"}, None),
        ({"ratelimit-limit": "5000", "ratelimit-remaining": "many", "ratelimit-reset": "1100"}, None),
        ({"x-ratelimit-limit": "800", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1100"}, Notice(0, 100)),
    ],
)
def test_only_scarcity_that_is_told_readably_is_a_notice(headers: dict[str, str], notice: Notice | None) -> None:
    assert notice_of(headers, 1000.0) == notice
