"""Azure keeps the contract of every cloud."""

from tests.shared.clouds.conformance import CloudConformance
from tests.shared.clouds.conformance_assets import AssetConformance


class TestAzure(CloudConformance, AssetConformance):
    pass
