"""What must be true of every cloud? A cloud's tests inherit `CloudConformance` and give it an `account` fixture."""

from tests.shared.clouds.conformance_accounts import AccountConformance
from tests.shared.clouds.conformance_machine_images import MachineImageConformance
from tests.shared.clouds.conformance_machines import MachineConformance
from tests.shared.clouds.conformance_restore import RestoreConformance
from tests.shared.clouds.conformance_rights import RightsConformance
from tests.shared.clouds.conformance_walls import WallConformance


class ImagedCloudConformance(
    AccountConformance, MachineConformance, RightsConformance, MachineImageConformance, WallConformance
):
    """The same for a cloud whose machines boot from a disk of their own: it keeps machines as a whole."""


class CloudConformance(AccountConformance, MachineConformance, RightsConformance, RestoreConformance, WallConformance):
    """The contract of `shared.clouds.capabilities`, read line by line."""
