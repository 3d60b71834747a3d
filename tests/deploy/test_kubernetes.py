"""Does each service's folder for Kubernetes refer to its own secrets only, and is everything there that it builds on?"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
PROGRAMS = ("gateway", "provisioner", "monitor", "notifier", "costs", "recovery")
DOCUMENTS = {
    path: document
    for path in sorted(FOLDER.rglob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document is not None
}


def kustomization(folder: str) -> dict[str, Any]:
    document: dict[str, Any] = DOCUMENTS[FOLDER / folder / "kustomization.yaml"]
    return document


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_refers_to_its_own_secrets_and_names_itself(program: str) -> None:
    own = kustomization(program)
    referred = set(re.findall(r"secretRef: \{name: ([\w-]+)\}", "".join(patch["patch"] for patch in own["patches"])))
    expected = {f"canopy-{program}"}
    if program not in {"gateway", "costs"}:
        expected.add("canopy-key-ring")
    if program != "notifier":
        expected.add(f"canopy-{program}-owner")
    assert referred == expected
    assert own["nameSuffix"] == f"-{program}"
    assert own["labels"][0]["pairs"]["app.kubernetes.io/component"] == program
    image = "monitor" if program == "notifier" else program
    assert own["images"][0]["newName"].endswith(f"/canopy-{image}")


def test_everything_at_once_is_every_program_and_every_resource_exists() -> None:
    assert set(PROGRAMS) <= set(kustomization(".")["resources"])
    for path, document in DOCUMENTS.items():
        if document["kind"] == "Kustomization":
            missing = [name for name in document["resources"] if not (path.parent / name).exists()]
            assert missing == [], path


def test_no_secret_is_committed() -> None:
    assert [path.name for path, document in DOCUMENTS.items() if document["kind"] == "Secret"] == []
    text = "".join(path.read_text() for path in DOCUMENTS)
    assert re.findall(r"(?:PASSWORD|KEY_RING|DATABASE_URL|OWNER_URL)\S*:", text) == []


@pytest.mark.parametrize("file", ["program/deployment.yaml", "prepare/job.yaml"])
def test_pods_run_unprivileged_with_limits(file: str) -> None:
    pod = DOCUMENTS[FOLDER / file]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_a_program_is_watched_by_probes_that_an_outage_elsewhere_does_not_restart() -> None:
    container = DOCUMENTS[FOLDER / "program/deployment.yaml"]["spec"]["template"]["spec"]["containers"][0]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def test_the_job_is_not_taken_for_the_program_beside_it() -> None:
    label = {"app.kubernetes.io/name": "program"}
    assert kustomization("program")["labels"] == [{"pairs": label, "includeSelectors": True}]
    assert DOCUMENTS[FOLDER / "program/disruption.yaml"]["spec"]["selector"] == {"matchLabels": label}
    assert DOCUMENTS[FOLDER / "gateway/service.yaml"]["spec"]["selector"] == label
