"""DigitalOcean keeps the contract of every cloud whose machines are kept as a whole."""

from tests.shared.clouds.conformance import ImagedCloudConformance
from tests.shared.clouds.conformance_assets import AssetConformance
from tests.shared.clouds.conformance_volumes import VolumeConformance
from tests.shared.clouds.libcloud.listing import ListingConformance


class TestDigitalOcean(ImagedCloudConformance, VolumeConformance, ListingConformance):
    pass


class TestDigitalOceanAssets(AssetConformance):
    pass
