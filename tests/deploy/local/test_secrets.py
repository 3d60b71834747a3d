"""Are the embedded deployment's secrets made once and kept to their owner?"""

from pathlib import Path

from deploy.local.secrets import Secrets
from shared.security.envelope import KeyRing


def test_a_second_start_finds_the_secrets_of_the_first(tmp_path: Path) -> None:
    first = Secrets.kept(tmp_path / "secrets.json")
    password = first.password("nats.costs")
    second = Secrets.kept(tmp_path / "secrets.json")
    assert second.password("nats.costs") == password
    assert second.key_ring == first.key_ring
    assert second.gateway_key_ring == first.gateway_key_ring


def test_two_deployments_share_no_secret(tmp_path: Path) -> None:
    first, second = Secrets.kept(tmp_path / "first.json"), Secrets.kept(tmp_path / "second.json")
    assert first.key_ring != second.key_ring
    assert first.password("same") != second.password("same")


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    Secrets.kept(tmp_path / "secrets.json")
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_no_secret_shows_in_a_traceback(tmp_path: Path) -> None:
    kept = Secrets.kept(tmp_path / "secrets.json")
    password = kept.password("nats.costs")
    hidden = [password, *kept.gateway_key_ring.keys.values(), *kept.key_ring.keys.values()]
    assert [secret for secret in hidden if secret in repr(kept)] == []


def test_the_key_ring_is_one_that_the_envelope_reads(tmp_path: Path) -> None:
    text = Secrets.kept(tmp_path / "secrets.json").key_ring.model_dump_json()
    assert KeyRing.parse(text).primary == "local-1"


def test_the_gateway_has_no_key_that_opens_credentials(tmp_path: Path) -> None:
    kept = Secrets.kept(tmp_path / "secrets.json")
    assert not set(kept.gateway_key_ring.keys.values()) & set(kept.key_ring.keys.values())


def test_two_that_keep_one_file_make_each_password_once(tmp_path: Path) -> None:
    deployment, command = Secrets.kept(tmp_path / "secrets.json"), Secrets.kept(tmp_path / "secrets.json")
    granted = command.password("nats.slack_bot")
    own = deployment.password("nats.auditor")
    assert deployment.password("nats.slack_bot") == granted
    assert Secrets.kept(tmp_path / "secrets.json").passwords == {"nats.slack_bot": granted, "nats.auditor": own}
