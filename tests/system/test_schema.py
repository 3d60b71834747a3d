"""Does the running gateway keep what its OpenAPI document says, whatever is sent? schemathesis, bounded and repeatable.

Each operation gets requests that fit its schema and requests that do not; every answer must have a status, a media type
and a shape that the document names, and none may be a server error.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.stack import Deployment, Tenant

pytestmark = pytest.mark.system

EXAMPLES = 3
"""Of each mode and operation: about 500 requests. More find more, and belong to a longer run."""
METHODS = ("get", "post", "put", "patch", "delete")
DOCUMENT = json.loads(Path("docs/contracts/openapi.json").read_text())
"""As committed: `make check` holds it to the gateway's own, and every process that collects tests reads it."""
LABELS = [
    f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item
]


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """By label. schemathesis is imported by the one process that asks: it costs each of them seconds."""
    import schemathesis

    found = (each.ok() for each in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations())
    operations = {operation.label: operation for operation in found}
    assert operations.keys() == set(LABELS)
    return operations


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("fuzzed")
    yield tenant
    tenant.http.close()


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
@pytest.mark.parametrize("label", LABELS)
def test_answers_are_as_the_document_says(
    deployment: Deployment, tenant: Tenant, operations: dict[str, Any], label: str, mode: str
) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi import checks

    conformance = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operations[label].as_strategy(generation_mode=GenerationMode[mode]))
    def ask(case: Any) -> None:
        answer = case.call(base_url=deployment.url, headers={"X-API-Key": tenant.key})
        case.validate_response(answer, checks=conformance)

    ask()
