"""Does a process reach a server that speaks TLS, and does it look at the certificate?"""

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.nats import Nats
from shared.bus.connection import create_bus
from shared.kit.settings import BaseServiceSettings

pytestmark = pytest.mark.anyio


def write_certificate(folder: Path) -> Path:
    """A private authority that signed itself, for 127.0.0.1; its key lies beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private authority")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder / "certificate.pem"


@pytest.fixture
def guarded_server(tmp_path: Path) -> Iterator[tuple[Nats, Path]]:
    certificate = write_certificate(tmp_path)
    configuration = tmp_path / "nats.conf"
    configuration.write_text(
        f'tls {{ cert_file: "{certificate}", key_file: "{tmp_path / "key.pem"}" }}\n'
        'authorization { users: [ { user: "costs", password: "for tests only" } ] }\n'
    )
    server = Nats(tmp_path / "nats", configuration=configuration)
    server.start()
    server.wait_ready()
    yield server, certificate
    server.stop()


async def test_a_server_with_a_certificate_of_a_private_authority_is_reached_and_verified(
    guarded_server: tuple[Nats, Path],
) -> None:
    server, certificate = guarded_server
    settings = BaseServiceSettings(
        nats_url=server.url.replace("nats://", "tls://"),
        nats_user="costs",
        nats_password="for tests only",
        nats_tls_ca=str(certificate),
    )
    bus = create_bus(settings, "costs")
    await bus.open()
    try:
        assert await bus.is_reachable()
        channel = bus.client._transport._io_writer.get_extra_info("ssl_object")
        assert isinstance(channel, ssl.SSLObject)
        assert channel.context.verify_mode is ssl.CERT_REQUIRED
        assert ("IP Address", "127.0.0.1") in channel.getpeercert()["subjectAltName"]
    finally:
        await bus.close()
