"""What can be provisioned at each provider is told with its schema, and what cannot is refused by name."""

import jsonschema
import pytest

from services.provisioner.handlers.services import services_of
from shared.clouds.registry import catalog_of, provider_names
from shared.kit.errors import Conflict, InvalidInput, NotFound
from shared.kit.ids import new_id
from shared.messages.quotas import ListQuotas
from shared.messages.services import ListServices
from tests.fixtures.services import Services
from tests.services.provisioner.conftest import Tenant


@pytest.mark.parametrize("provider_name", provider_names())
def test_the_default_configuration_of_each_service_fits_its_schema(provider_name: str) -> None:
    for each in services_of(provider_name):
        jsonschema.Draft202012Validator.check_schema(each.configuration_schema)
        if each.resource_type == "compute":
            defaults = catalog_of(provider_name).configuration(each.resource_type, each.resource_subtype, {})
            jsonschema.validate(defaults, each.configuration_schema)
            assert each.can_start
            assert each.can_stop
            assert each.can_resize
        names = {size.name for size in each.sizes or ()}
        assert each.sizes is None or names
    assert len({(each.resource_type, each.resource_subtype) for each in services_of(provider_name)}) >= 1


@pytest.mark.anyio
@pytest.mark.usefixtures("provisioner")
async def test_services_of_an_account_and_what_it_does_not_have(
    services: Services, tenant: Tenant, stranger: Tenant
) -> None:
    provider = await tenant.add_provider()
    page = await services.ask(ListServices(**tenant.question(), provider_id=provider.id))
    machine = next(each for each in page.items if each.resource_subtype == "ec2_instance")
    assert "t3.micro" in {size.name for size in machine.sizes}
    assert "instance_type" in machine.configuration_schema["properties"]
    with pytest.raises(NotFound):
        await services.ask(ListServices(**stranger.question(), provider_id=provider.id))
    with pytest.raises(InvalidInput) as unknown:
        await tenant.add_resource(provider, resource_subtype="droplet")
    assert (unknown.value.code, unknown.value.detail) == (
        "unsupported_resource_type", "Unsupported resource type: droplet",
    )  # fmt: skip
    assert [each.pointer for each in unknown.value.errors] == ["/resource_subtype"]
    with pytest.raises(NotFound):
        await services.ask(ListServices(**tenant.question(), provider_id=new_id()))


@pytest.mark.anyio
@pytest.mark.usefixtures("provisioner")
async def test_the_limits_of_an_account_are_told_as_its_cloud_knows_them(
    services: Services, tenant: Tenant, stranger: Tenant
) -> None:
    provider = await tenant.add_provider()

    def asked(region: str, whose: Tenant = tenant) -> ListQuotas:
        return ListQuotas(**whose.question(), provider_id=provider.id, region=region)

    told = await services.ask(asked("us-east-1"))
    databases = next(each for each in told.items if each.quota_code == "L-7B6409FD")
    assert (databases.service, databases.limit, databases.region) == ("rds", 40, "us-east-1")
    assert all((each.used_ratio is None) is (each.used is None or not each.limit) for each in told.items)
    assert {each.region for each in (await services.ask(asked("global"))).items} == {"global"}
    with pytest.raises(InvalidInput) as unknown:
        await services.ask(asked("eu-west-3"))
    assert [each.pointer for each in unknown.value.errors] == ["/region"]
    with pytest.raises(NotFound):
        await services.ask(asked("us-east-1", stranger))
    tenant.aws.fault(match={"action": "ListServiceQuotas"}, status=400, code="UnrecognizedClientException", count=2)
    with pytest.raises(Conflict) as refused:
        await services.ask(asked("us-east-1"))
    assert refused.value.code == "invalid_credentials"
