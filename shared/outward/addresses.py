"""May we speak to an address that a tenant gave? Only to public ones, and to the very one that was checked.

A name is resolved here and the connection goes to the resolved address, so that a name which answers differently the
second time (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

PORTS_REFUSED = frozenset({19, 21, 22, 23, 25, 53, 69, 110, 111, 135, 139, 143, 389, 445, 465, 587, 636, 993, 995})
"""Ports of other protocols below 1024 that a POST could be smuggled into."""
RESOLVE_S = 3.0

_CGNAT = ipaddress.ip_network("100.64.0.0/10")  # RFC 6598
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")  # RFC 3056

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class RefusedAddress(ValueError):
    """The address is not one to speak to; the text says why and is safe to show."""


class UnresolvedAddress(Exception):
    """The name does not resolve now."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request really goes: `url` as given (Host header, TLS name), `address` as resolved and checked."""

    url: str
    scheme: str
    host: str
    port: int
    address: str


def is_inside(address: IpAddress) -> bool:
    """Loopback, private, link-local, CGNAT, ULA, multicast, reserved, and IPv4 inside IPv6 that is any of these."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and (address in _NAT64):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address in _SIX_TO_FOUR:
            inner = ipaddress.IPv4Address((int(address) >> 80) & 0xFFFFFFFF)
        if inner is None:
            inner = address.teredo[1] if address.teredo else None
        if inner is not None:
            return is_inside(inner)
        if address.is_site_local:
            return True
    elif address in _CGNAT:
        return True
    return not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified


def parse(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of an http(s) URL. Raises RefusedAddress."""
    if any(character.isspace() or ord(character) < 0x20 or ord(character) == 0x7F for character in url) or "\\" in url:
        raise RefusedAddress("has characters that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedAddress("is not a URL") from None
    if parts.scheme not in {"http", "https"}:
        raise RefusedAddress("begins with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise RefusedAddress("carries no user or password")
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise RefusedAddress("names no host")
    number = port if port is not None else {"http": 80, "https": 443}[parts.scheme]
    if number == 0 or number in PORTS_REFUSED:
        raise RefusedAddress(f"port {number} is not one of a webhook")
    return parts.scheme, host, number


async def check(url: str, *, allow_inside: bool) -> Target:
    """The target of a URL. Raises RefusedAddress, also when any address of the name is inside; UnresolvedAddress."""
    scheme, host, port = parse(url)
    addresses = await _resolve(host, port)
    if not allow_inside and any(is_inside(address) for address in addresses):
        raise RefusedAddress("points inside (loopback, private or link-local)")
    return Target(url, scheme, host, port, str(addresses[0]))


async def _resolve(host: str, port: int) -> list[IpAddress]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise UnresolvedAddress(f"{host} does not resolve") from error
    addresses = [ipaddress.ip_address(str(item[4][0]).partition("%")[0]) for item in found]
    if not addresses:
        raise UnresolvedAddress(f"{host} does not resolve")
    return addresses
