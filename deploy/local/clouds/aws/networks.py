"""When does EC2 refuse to take a network down? While something has an address in it, which moto overlooks."""

from collections.abc import Iterator
from typing import Any

from moto.backends import get_backend
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC


class OccupiedNetworks(EC2Backend):
    """The part of EC2 that networks are."""

    def delete_subnet(self, subnet_id: str) -> Subnet:
        if subnet_id in {subnet.id for subnet in self._occupied()}:
            raise EC2ClientError("DependencyViolation", f"The subnet '{subnet_id}' has dependencies.")
        return super().delete_subnet(subnet_id)

    def delete_vpc(self, vpc_id: str) -> VPC:
        groups = [each for each in self.describe_security_groups(filters={"vpc-id": vpc_id}) if not _is_default(each)]
        if groups or any(subnet.vpc_id == vpc_id for subnet in self._occupied()):
            raise EC2ClientError("DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        return super().delete_vpc(vpc_id)

    def get_all_network_interfaces(
        self, eni_ids: list[str] | None = None, filters: Any = None
    ) -> list[NetworkInterface]:
        """Without those of terminated machines, which moto keeps."""
        found = super().get_all_network_interfaces(eni_ids, filters)
        return [each for each in found if each.instance is None or each.instance.state != "terminated"]

    def _occupied(self) -> Iterator[Subnet]:
        """The subnets of living machines, load balancers and databases, with repeats."""
        for database in get_backend("rds")[self.account_id][self.region_name].databases.values():
            group = getattr(database, "db_subnet_group", None)
            if group is not None:
                yield from (self.get_subnet(each["SubnetIdentifier"]) for each in group.subnets)
        for balancer in get_backend("elbv2")[self.account_id][self.region_name].load_balancers.values():
            yield from balancer.subnets
        for reservation in self.reservations.values():
            for machine in reservation.instances:
                if machine.state != "terminated":
                    yield from (nic.subnet for nic in machine.nics.values())


def _is_default(group: Any) -> bool:
    return bool(group.name == "default")
