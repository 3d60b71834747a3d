"""What must be true of every account: who, where, which capabilities, which configurations?"""

import pytest

from shared.clouds.capabilities import (
    capabilities_of,
    machines_of,
)
from shared.clouds.errors import (
    AuthFailed,
    InvalidRequest,
    Unsupported,
)
from shared.clouds.models import (
    MachineSpec,
)
from tests.shared.clouds.account_under_test import Conformance, wrong_credentials


class AccountConformance(Conformance):
    async def test_good_credentials_say_whose_account_it_is(self, account):
        assert (await account.cloud.authenticate()).account_id

    async def test_wrong_credentials_are_refused_as_such(self, account):
        wrong = wrong_credentials(account)
        cloud = account.open_with(wrong)
        with pytest.raises(AuthFailed) as caught:
            await cloud.authenticate()
        with pytest.raises(AuthFailed):
            await machines_of(cloud).get(account.region, account.unknown_machine_id)
        await cloud.close()
        assert not caught.value.retryable
        for secret in wrong.values():
            assert secret not in str(caught.value)
            assert secret not in repr(caught.value)

    async def test_regions_have_zones_and_places(self, account):
        regions = await account.cloud.regions([account.region, account.other_region, "nowhere-1"])
        assert [each.region_code for each in regions] == sorted([account.region, account.other_region])
        for each in regions:
            assert each.availability_zones
            assert each.region_name != each.region_code
            assert each.geographic_location is not None

    async def test_a_lost_region_has_unknown_zones_and_hides_no_other(self, account):
        account.lose_region(account.other_region)
        regions = {
            each.region_code: each for each in await account.cloud.regions([account.region, account.other_region])
        }
        assert regions[account.other_region].availability_zones is None
        assert regions[account.region].availability_zones

    async def test_capabilities_say_what_the_cloud_implements(self, account):
        capabilities = capabilities_of(account.cloud)
        assert set(capabilities) == {
            "compute", "storage", "database", "networking", "monitoring", "cdn", "serverless", "kubernetes"
        }  # fmt: skip
        assert capabilities["compute"] is hasattr(account.cloud, "machines")
        assert capabilities["monitoring"] is hasattr(account.cloud, "metrics")

    async def test_every_offer_takes_its_own_defaults_or_names_what_is_missing(self, account):
        for offer in account.catalog.offers():
            assert offer.configuration_schema["type"] == "object"
            try:
                account.catalog.configuration(offer.resource_type, offer.resource_subtype, {})
            except InvalidRequest as error:
                assert error.problems  # noqa: PT017 - either answer is allowed

    async def test_a_machine_needs_no_configuration(self, account):
        configuration = account.catalog.configuration(*account.compute, {})
        assert MachineSpec.from_configuration(configuration, token="t", tags={}).instance_type

    async def test_an_unsupported_type_is_called_so(self, account):
        with pytest.raises(Unsupported, match="Unsupported resource type: castle"):
            account.catalog.configuration("castle", "small", {})
        with pytest.raises(Unsupported, match="Unsupported resource type: castle"):
            account.catalog.configuration(account.compute[0], "castle", {})

    async def test_an_unknown_field_of_a_configuration_is_named(self, account):
        with pytest.raises(InvalidRequest) as caught:
            account.catalog.configuration(*account.compute, {"colour": "red"})
        assert caught.value.field == "colour"

    async def test_credentials_that_lack_a_field_are_refused_by_its_name(self, account):
        schema = account.catalog.credentials_schema
        for name in schema.get("oneOf", [schema])[0]["required"]:
            rest = {each: value for each, value in account.credentials.items() if each != name}
            with pytest.raises(InvalidRequest) as caught:
                account.catalog.credentials(rest)
            assert caught.value.field == name
            assert not any(value in str(caught.value) for value in rest.values())
