"""Google Cloud keeps the contract of every cloud."""

from tests.shared.clouds.conformance_accounts import AccountConformance
from tests.shared.clouds.conformance_machines import MachineConformance


class TestGcp(AccountConformance, MachineConformance):
    pass
