"""From where does a connection come? The address that limits are counted for, when nobody is known behind it yet.

Behind a proxy the connection is the proxy's; `CANOPY_TRUSTED_PROXIES` names those whose X-Forwarded-For counts
(app.py), and from anybody else that header says nothing.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

CUSTOMER_BITS = 64
"""What one IPv6 customer gets at least (RFC 6177): a guesser has 2^64 addresses in it and still counts once."""
_UNKNOWN = "address:unknown"


def address_of(connection: HTTPConnection) -> str:
    """`address:192.0.2.7`, or `address:2001:db8::/64`; a connection without an address shares one with its like."""
    if connection.client is None:
        return _UNKNOWN
    try:
        address: IPv4Address | IPv6Address = ip_address(connection.client.host.partition("%")[0])
    except ValueError:
        return _UNKNOWN
    if isinstance(address, IPv4Address):
        return f"address:{address}"
    if address.ipv4_mapped is not None:
        return f"address:{address.ipv4_mapped}"
    return f"address:{IPv6Network((address, CUSTOMER_BITS), strict=False)}"
