"""Does the shipped deployment give each process its own credentials and no more, and keep every secret out of the files?

Read as text, without a container engine: what a fresh clone would start.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.stack import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN_IMAGES = {name: service for name, service in SERVICES.items() if "build" in service}
PROGRAMS = ("gateway", "provisioner", "monitor", "costs", "recovery", "notifier")
SIMULATED = ("simulated-aws", "simulated-clouds", "load", "sinks")
DATABASE_OF = {"notifier": "monitor"}
OPENS_CREDENTIALS = {"provisioner", "monitor", "recovery", "notifier"}
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)[^}]*\}")
SECRET = re.compile(r"PASSWORD|KEY_RING")


def secrets_of(service: dict[str, Any]) -> set[str]:
    """The secret variables that a service's environment is filled in from."""
    values = " ".join(str(value) for value in service.get("environment", {}).values())
    return {name for name in VARIABLE.findall(values) if SECRET.search(name)}


def made_secrets(*profiles: str) -> dict[str, str]:
    script = ["sh", "deploy/secrets.sh", *profiles]
    text = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip("'") for name, _, value in lines}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_has_its_own_credentials_and_no_other(program: str) -> None:
    database = DATABASE_OF.get(program, program)
    expected = {f"CANOPY_NATS_{program.upper()}_PASSWORD", f"CANOPY_{database.upper()}_APP_PASSWORD"}
    if program in OPENS_CREDENTIALS:
        expected.add("CANOPY_KEY_RING")
    if program == "gateway":
        expected.add("CANOPY_GATEWAY_KEY_RING")
    if program == "notifier":
        expected.add("CANOPY_SMTP_PASSWORD")
    assert secrets_of(SERVICES[program]) == expected


@pytest.mark.parametrize("service", [program for program in PROGRAMS if program not in DATABASE_OF])
def test_only_the_migration_of_a_service_has_the_owner_of_its_database(service: str) -> None:
    owner = f"CANOPY_{service.upper()}_OWNER_PASSWORD"
    assert {name for name, one in SERVICES.items() if owner in secrets_of(one)} == {f"migrate-{service}", "postgres"}
    assert secrets_of(SERVICES[f"migrate-{service}"]) == {owner}


@pytest.mark.parametrize("user", ["topology", "operator"])
def test_a_tool_of_the_bus_has_its_own_user_and_no_database(user: str) -> None:
    assert secrets_of(SERVICES[user]) == {f"CANOPY_NATS_{user.upper()}_PASSWORD"}


@pytest.mark.parametrize("name", SIMULATED)
def test_what_stands_in_for_the_outside_world_gets_no_secret_and_starts_only_when_asked(name: str) -> None:
    assert secrets_of(SERVICES[name]) == set()
    assert SERVICES[name]["profiles"] == ["simulated"]


def test_no_secret_is_written_down() -> None:
    written = {
        f"{name}.{variable}": value
        for name, service in SERVICES.items()
        for variable, value in service.get("environment", {}).items()
        if SECRET.search(variable) and VARIABLE.fullmatch(str(value).strip('"')) is None
    }
    assert written == {}


def test_no_secret_is_optional_but_that_of_a_mail_server() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    named = {name for name in VARIABLE.findall(text) if SECRET.search(name)}
    needed = set(re.findall(r"\$\{([A-Z0-9_]+):\?", text))
    assert named - needed == {"CANOPY_SMTP_PASSWORD"}


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(\S*)", (ROOT / ".env.example").read_text(), re.MULTILINE))
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(VARIABLE.findall(text)) - {"CANOPY_TOKEN"} <= set(example)
    assert {name: value for name, value in example.items() if SECRET.search(name) and value} == {}


def test_the_file_of_secrets_and_the_local_settings_are_kept_out_of_git_and_out_of_images() -> None:
    for kept_out in (".env", "deploy/settings.env"):
        ignored = subprocess.run(["git", "check-ignore", "-q", kept_out], cwd=ROOT, check=False)
        assert ignored.returncode == 0, kept_out
    ignore = (ROOT / ".dockerignore").read_text().split("\n")
    taken = [line for line in ignore if line.startswith("!")]
    assert "*" in ignore
    assert not [line for line in taken if ".env" in line or line in {"!deploy", "!."}]


def test_made_secrets_are_all_that_compose_needs_each_different_and_new_each_time() -> None:
    needed = set(re.findall(r"\$\{([A-Z0-9_]+):\?", (ROOT / "docker-compose.yml").read_text()))
    first, second = made_secrets(), made_secrets()
    assert needed <= set(first)
    values = [first[name] for name in needed]
    assert len(set(values)) == len(values)
    assert not [name for name in needed if first[name] == second[name] or len(first[name]) < 32]


def test_an_unknown_profile_makes_no_secrets() -> None:
    outcome = subprocess.run(["sh", "deploy/secrets.sh", "simulate"], cwd=ROOT, capture_output=True, check=False)
    assert outcome.returncode == 2
    assert outcome.stdout == b""


def test_every_user_of_the_bus_gets_a_password_and_its_generated_rights() -> None:
    # In a process of its own: other tests declare messages, which belong to nobody's rights.
    command = [sys.executable, "-m", "shared.bus.permissions"]
    generated = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "deploy/nats/users.conf").read_text() == generated
    assert set(SERVICES["nats"]["environment"]) == set(re.findall(r"password: \$(\w+)", generated))
    assert len(re.findall(r"user: ", generated)) == len(PROGRAMS) + len(("topology", "operator"))


def test_images_of_ours_run_unprivileged_on_a_read_only_file_system() -> None:
    stages = re.split(r"^FROM ", (ROOT / "deploy/Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    shipped = {stage.split()[2]: stage for stage in stages if stage.startswith("foundation AS ")}
    assert set(shipped) == {"service", "operator", "local"}
    assert all("\nUSER 10001:10001\n" in stage for stage in shipped.values())
    assert {service["build"].get("target", "service") for service in OWN_IMAGES.values()} == set(shipped)
    for name, service in OWN_IMAGES.items():
        assert "user" not in service, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_an_image_of_a_service_is_built_from_that_service_alone() -> None:
    stage = (ROOT / "deploy/Dockerfile").read_text().partition("FROM foundation AS service")[2]
    copied = re.findall(r"^COPY (\S+)", stage, re.MULTILINE)
    assert copied == ["services/__init__.py", "services/${SERVICE}"]
    for program in PROGRAMS:
        service = DATABASE_OF.get(program, program)
        assert SERVICES[program]["build"]["args"] == {"SERVICE": service}
        assert SERVICES[program]["image"].startswith(f"canopy-{service}:")


def test_ports_are_published_on_loopback_unless_asked_otherwise() -> None:
    published = [str(port) for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert not [port for port in published if not re.match(r"(\$\{CANOPY_HTTP_ADDRESS:-)?127\.0\.0\.1:", port)]
    assert "ports" not in SERVICES["nats"]
    assert "ports" not in SERVICES["postgres"]


def test_the_settings_that_the_storys_test_needs_are_those_it_is_written_for() -> None:
    how_to = (ROOT / "docs/how-to/deploy.md").read_text()
    [block] = re.findall(r"^cat >deploy/settings.env <<END\n(.*?)^END$", how_to, re.MULTILINE | re.DOTALL)
    named = dict(line.split("=", 1) for line in block.splitlines())
    assert named == {name: value for name, value in SETTINGS.items() if name in named}
    assert {name for name in SETTINGS if name.startswith("CANOPY_")} - set(named) == {"CANOPY_DURATIONS_NOTE"}


def test_nothing_has_to_start_before_anything_else() -> None:
    assert [name for name, service in SERVICES.items() if "depends_on" in service] == []
    jobs = [name for name in SERVICES if name.startswith("migrate-") or name == "topology"]
    assert {SERVICES[name]["restart"] for name in jobs} == {"on-failure"}
