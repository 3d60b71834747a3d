"""Does the running gateway keep what its OpenAPI document says, whatever is sent? schemathesis, bounded and repeatable.

Each operation gets requests that fit its schema and requests that do not; every answer must have a status, a media type
and a shape that the document names, and none may be a server error.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.api.schema import published_openapi
from tests.fixtures.stack import Deployment, Tenant

pytestmark = pytest.mark.system

EXAMPLES = 6
"""Of each mode and operation: about a thousand requests. More find more, and belong to a longer run."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = published_openapi()
OPERATIONS = {
    operation.label: operation
    for operation in (each.ok() for each in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations())
}


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("fuzzed")
    yield tenant
    tenant.http.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_as_the_document_says(
    deployment: Deployment, tenant: Tenant, label: str, mode: GenerationMode
) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(base_url=deployment.url, headers={"X-API-Key": tenant.key})
        case.validate_response(answer, checks=CHECKS)

    ask()
