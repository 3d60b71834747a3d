"""Addresses that tenants give: public ones only, by whatever spelling."""

import ipaddress

import pytest

from shared.outward.addresses import RefusedAddress, UnresolvedAddress, check, is_inside, parse

pytestmark = pytest.mark.anyio

INSIDE = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "fec0::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("address", INSIDE)
def test_an_inside_address_is_known_as_such(address: str) -> None:
    assert is_inside(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_not_refused(address: str) -> None:
    assert not is_inside(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    ["ftp://a.b", "file:///etc/passwd", "http://", "http://user:pw@a.b/", "http://a.b:22/", "http://a.b:0/",
     "http://a.b:99999/", "http://a.b/\r\nX: y", "http://a.b\\@c.d/", "//a.b", ""],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedAddress):
        parse(url)


@pytest.mark.parametrize("url", ["http://localhost/", "http://LOCALHOST./", "http://2130706433/", "http://0x7f.1/"])
async def test_a_name_that_means_an_inside_address_is_refused(url: str) -> None:
    """Spellings that the resolver of this machine does not take are refused as well."""
    with pytest.raises((RefusedAddress, UnresolvedAddress)):
        await check(url, allow_inside=False)


async def test_the_target_is_the_address_that_was_checked() -> None:
    target = await check("http://localhost:8080/x", allow_inside=True)
    assert (target.host, target.port) == ("localhost", 8080)
    assert ipaddress.ip_address(target.address).is_loopback
