"""DigitalOcean keeps the contract of every cloud; what it cannot restore it does not claim to."""

from tests.shared.clouds.conformance_accounts import AccountConformance
from tests.shared.clouds.conformance_machines import MachineConformance
from tests.shared.clouds.conformance_rights import RightsConformance
from tests.shared.clouds.libcloud.listing import ListingConformance


class TestDigitalOcean(AccountConformance, MachineConformance, RightsConformance, ListingConformance):
    pass
