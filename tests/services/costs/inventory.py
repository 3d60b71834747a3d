"""How does a test say what the provisioner would say? Resources, and events about them at chosen times."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.resources import (
    Resource,
    ResourceEvent,
    ResourceRequested,
    ResourceScaled,
    ResourceStarted,
    ResourceStopped,
    ResourceTerminated,
    ResourceUpdated,
)

EVENT_OF = {
    "provisioning": ResourceRequested,
    "running": ResourceStarted,
    "stopped": ResourceStopped,
    "terminated": ResourceTerminated,
    "available": ResourceUpdated,
}


@dataclass
class Machine:
    """One machine (or by its `subtype` another thing) of an organization whose versions are said in any order."""

    context: Context
    start: datetime
    configuration: dict[str, Any] = field(default_factory=lambda: {"instance_type": "t3.micro"})
    environment: str = "production"
    project: str = "photos"
    id: UUID = field(default_factory=new_id)
    provider_id: UUID = field(default_factory=new_id)
    provider_name: str = "aws"
    region: str = "us-east-1"
    subtype: str = "ec2_instance"

    def says(self, version: int, after_h: float, status: str) -> ResourceEvent:
        """The event of a version, `after_h` hours after the machine's start."""
        time = self.start + timedelta(hours=after_h)
        envelope = {**self.context.about(self.id, version, time), "time": time}
        return EVENT_OF[status](**envelope, resource=self.resource(version, time, status))

    def is_scaled(self, version: int, after_h: float, instance_type: str) -> ResourceEvent:
        """The event that it runs with another type; what is said of later versions has it too."""
        time, before = self.start + timedelta(hours=after_h), self.configuration
        self.configuration = {**before, "instance_type": instance_type}
        envelope = {**self.context.about(self.id, version, time), "time": time}
        return ResourceScaled(
            **envelope, resource=self.resource(version, time, "running"), action="scale_up", trigger="manual",
            before=before, after=self.configuration,
        )  # fmt: skip

    def lives(self, *steps: tuple[float, str]) -> Sequence[ResourceEvent]:
        return [self.says(version, hours, status) for version, (hours, status) in enumerate(steps, 1)]

    def resource(self, version: int, time: datetime, status: str) -> Resource:
        return Resource(
            id=self.id,
            organization_id=UUID(str(self.context.organization)),
            provider_id=self.provider_id,
            provider_name=self.provider_name,
            region=self.region,
            resource_name="web-1",
            resource_type="storage" if self.subtype in {"volume", "snapshot"} else "compute",
            resource_subtype=self.subtype,
            configuration=self.configuration,
            resource_status=status,
            environment=self.environment,
            project=self.project,
            created_at=self.start,
            updated_at=time,
            version=version,
        )
