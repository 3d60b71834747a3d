"""Do all addresses of one customer count as one?"""

import pytest
from starlette.requests import HTTPConnection

from services.gateway.api.addresses import address_of


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "address:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "address:2001:db8:1:3::/64"),
        ("fe80::1%eth0", "address:fe80::/64"),
        ("::ffff:192.0.2.7", "address:192.0.2.7"),
        ("testclient", "address:unknown"),
    ],
)
def test_an_address_is_what_one_customer_holds(host: str, address: str) -> None:
    assert address_of(HTTPConnection({"type": "http", "client": (host, 1), "headers": []})) == address


def test_without_an_address_all_are_counted_together() -> None:
    assert address_of(HTTPConnection({"type": "http", "client": None, "headers": []})) == "address:unknown"
