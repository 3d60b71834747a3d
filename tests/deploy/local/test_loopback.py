"""Are tests kept on this machine?"""

import os
import socket

import pytest

from tests.fixtures.loopback import NotLoopback


def test_a_connection_beyond_this_machine_is_refused() -> None:
    with socket.socket() as client, pytest.raises(NotLoopback):
        client.connect(("192.0.2.1", 80))


def test_a_name_beyond_this_machine_is_not_looked_up() -> None:
    with pytest.raises(NotLoopback):
        socket.getaddrinfo("ec2.us-east-1.amazonaws.com", 443)


def test_no_credentials_of_the_developer_reach_a_test() -> None:
    names = [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))]
    assert sorted(names) == ["AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE"]
