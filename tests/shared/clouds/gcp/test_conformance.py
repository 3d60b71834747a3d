"""Google Cloud keeps the contract of every cloud."""

from tests.shared.clouds.conformance import CloudConformance


class TestGcp(CloudConformance):
    pass
