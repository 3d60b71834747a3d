"""Google Cloud keeps the contract of every cloud."""

from tests.shared.clouds.conformance import CloudConformance
from tests.shared.clouds.conformance_assets import AssetConformance
from tests.shared.clouds.conformance_inventory import InventoryConformance
from tests.shared.clouds.conformance_spot import SpotConformance


class TestGcp(CloudConformance, InventoryConformance, AssetConformance, SpotConformance):
    pass
