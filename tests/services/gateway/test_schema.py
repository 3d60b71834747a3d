"""Are the contracts complete enough to generate a client from?"""

import pytest

from services.gateway.api.schema import published_openapi
from shared.messages.base import classes_of
from tests.services.gateway.conftest import Gateway

pytestmark = pytest.mark.anyio


async def test_every_route_says_how_it_fails_and_every_body_has_an_example(gateway: Gateway) -> None:
    document = (await gateway.client().get("/api/schema/openapi.json")).json()
    assert document == published_openapi()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            problem = operation["responses"]["422"]["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}, (path, method)
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                reference = next(each["$ref"] for each in schema.get("anyOf", [schema]) if "$ref" in each)
                body = document["components"]["schemas"][reference.rpartition("/")[2]]
                assert body.get("examples"), (path, method)


async def test_a_route_says_which_permission_it_needs(gateway: Gateway) -> None:
    document = (await gateway.client().get("/api/schema/openapi.json")).json()
    said = document["paths"]["/api/users/{user}/role"]["put"]["responses"]["403"]["description"]
    assert said == "Needs the permission `users:write`"


async def test_every_message_is_in_the_asyncapi_document(gateway: Gateway) -> None:
    document = (await gateway.client().get("/api/schema/asyncapi.json")).json()
    names = {message["name"] for message in document["components"]["messages"].values()}
    assert names == {cls.message_type() for kind in ("event", "command", "request") for cls in classes_of(kind)}


async def test_the_page_loads_nothing_from_anywhere(gateway: Gateway) -> None:
    page = (await gateway.client().get("/api/schema")).text
    assert "/api/operations" in page
    for loading in ("<script", "http://", "https://", "src=", "@import"):
        assert loading not in page
