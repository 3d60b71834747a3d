"""What must be true of every cloud? A cloud's tests inherit `CloudConformance` and give it an `account` fixture."""

from tests.shared.clouds.conformance_accounts import AccountConformance
from tests.shared.clouds.conformance_machines import MachineConformance
from tests.shared.clouds.conformance_restore import RestoreConformance
from tests.shared.clouds.conformance_rights import RightsConformance


class CloudConformance(AccountConformance, MachineConformance, RestoreConformance, RightsConformance):
    """The contract of `shared.clouds.capabilities`, read line by line."""
