"""How does RDS behave where moto is too fast or too kind? States take time, and what makes no sense is refused."""

import uuid
from dataclasses import dataclass
from typing import Any

import moto.rds.urls
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.rds.exceptions import InvalidDBInstanceStateError, RDSClientError
from moto.rds.models import DBInstance, DBSubnetGroup, RDSBackend

from deploy.local.clouds.aws.states import Transition
from deploy.local.clouds.clock import Clock

# What RDS takes when it is not told; moto's are of 2014, and it has none for MariaDB.
VERSIONS = {"postgres": "17.6", "mysql": "8.4.6", "mariadb": "11.8.3"}
CHANGEABLE = frozenset({"available", "stopped"})
GONE = "deleted"


@dataclass
class ManagedSecret:
    """What RDS shows of a master password that it manages. The simulated AWS has no Secrets Manager to ask for it."""

    secret_arn: str
    kms_key_id: str
    secret_status: str = "active"

    def delete_secret(self) -> None:
        """Goes with its database."""


class SlowDatabases(RDSBackend):
    """RDS of one account and region. `clock` and `state_seconds` are the deployment's, set on the class before use."""

    clock = Clock()
    state_seconds = 2.5

    def __init__(self, region_name: str, account_id: str) -> None:
        self.transitions: dict[str, Transition] = {}
        super().__init__(region_name, account_id)

    @property
    def _url_module(self) -> Any:
        return moto.rds.urls  # moto looks beside the class, which is here

    def settle(self) -> None:
        """Lets everything arrive whose time has come; called before every call to this backend."""
        now_s = self.clock.now_s()
        for name, transition in list(self.transitions.items()):
            if not transition.is_due(now_s):
                continue
            del self.transitions[name]
            if transition.final == GONE:
                super().delete_db_instance(name, skip_final_snapshot=True)
            else:
                self.databases[name].status = transition.final

    def create_db_instance(self, db_kwargs: dict[str, Any]) -> DBInstance:
        _check_class(db_kwargs["db_instance_class"])
        managed = bool(db_kwargs.pop("manage_master_user_password", None))
        engine = db_kwargs.get("engine")
        if db_kwargs.get("engine_version") is None and engine in VERSIONS:
            db_kwargs["engine_version"] = VERSIONS[engine]
        database = super().create_db_instance(db_kwargs)
        if managed:
            self._manage_password(database)
        return self._new(database)

    def create_db_instance_read_replica(self, db_kwargs: dict[str, Any]) -> DBInstance:
        """Moto makes it a shallow copy, whose lists are its source's, and which forgets its source's name."""
        source = self.find_db_from_id(db_kwargs["source_db_instance_identifier"])
        if source.status != "available" or not source.backup_retention_period:
            raise InvalidDBInstanceStateError(source.db_instance_identifier, "replicate")
        if db_kwargs["db_instance_identifier"] in self.databases:
            raise RDSClientError("DBInstanceAlreadyExists", "DB instance already exists")
        replica = super().create_db_instance_read_replica({"tags": [], **db_kwargs})
        replica.vpc_security_group_ids = list(replica.vpc_security_group_ids)
        replica.manage_master_user_password = False
        replica.__dict__.pop("master_user_secret", None)
        return self._new(replica)

    def modify_db_instance(self, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> DBInstance:
        database = self._changeable(db_instance_identifier, "modified")
        if db_kwargs.get("db_instance_class"):
            _check_class(db_kwargs["db_instance_class"])
        if int(db_kwargs.get("allocated_storage") or database.allocated_storage) < database.allocated_storage:
            raise RDSClientError(
                "InvalidParameterCombination", "Requested storage size cannot be less than the current one."
            )
        resting = database.status
        changed = super().modify_db_instance(db_instance_identifier, db_kwargs)
        return self._move(changed, "modifying", resting)

    def stop_db_instance(self, db_instance_identifier: str, db_snapshot_identifier: str | None = None) -> DBInstance:
        if self.describe_db_instances(db_instance_identifier)[0].is_replica:
            raise InvalidDBInstanceStateError(db_instance_identifier, "stop")
        database = super().stop_db_instance(db_instance_identifier, db_snapshot_identifier)
        return self._move(database, "stopping", "stopped")

    def start_db_instance(self, db_instance_identifier: str) -> DBInstance:
        return self._move(super().start_db_instance(db_instance_identifier), "starting", "available")

    def delete_db_instance(
        self,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,  # noqa: FBT001, FBT002 - moto's own signature
        delete_automated_backups: bool | None = True,  # noqa: ARG002, FBT001, FBT002
    ) -> DBInstance:
        database = self._changeable(db_instance_identifier, "deleted")
        if final_db_snapshot_identifier and not skip_final_snapshot:
            self.create_db_snapshot(db_instance_identifier, final_db_snapshot_identifier)
        return self._move(database, "deleting", GONE)

    def create_subnet_group(
        self, subnet_name: str, description: str, subnets: list[Any], tags: list[dict[str, str]]
    ) -> DBSubnetGroup:
        if subnet_name in self.subnet_groups:
            raise RDSClientError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{subnet_name}' already exists.")
        if len({subnet.availability_zone for subnet in subnets}) < 2:
            raise RDSClientError(
                "DBSubnetGroupDoesNotCoverEnoughAZs", "The DB subnet group doesn't cover at least two zones."
            )
        return super().create_subnet_group(subnet_name, description, subnets, tags)

    def delete_subnet_group(self, subnet_name: str) -> DBSubnetGroup:
        if any(group.name == subnet_name for group in self.used_subnet_groups()):
            raise RDSClientError("InvalidDBSubnetGroupStateFault", f"{subnet_name} is in use by a DB instance")
        return super().delete_subnet_group(subnet_name)

    def add_tags_to_resource(self, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
        """Moto tags what is not there without a word."""
        kind, _, name = arn.rpartition(":")
        if kind.endswith(":db") and name not in self.databases:
            raise RDSClientError("DBInstanceNotFound", f"DBInstance {name} not found.")
        return super().add_tags_to_resource(arn, tags)

    def used_subnet_groups(self) -> list[DBSubnetGroup]:
        groups = (getattr(database, "db_subnet_group", None) for database in self.databases.values())
        return [group for group in groups if group is not None]

    def _new(self, database: DBInstance) -> DBInstance:
        database.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"
        return self._move(database, "creating", "available")

    def _changeable(self, name: str, participle: str) -> DBInstance:
        database: DBInstance = self.describe_db_instances(name)[0]
        if database.status not in CHANGEABLE:
            raise InvalidDBInstanceStateError(name, participle)
        return database

    def _move(self, database: DBInstance, through: str, final: str) -> DBInstance:
        now_s = self.clock.now_s()
        name = database.db_instance_identifier
        database.status = through
        self.transitions[name] = Transition("database", name, final, now_s, now_s + self.state_seconds)
        return database

    def _manage_password(self, database: DBInstance) -> None:
        place = f"{self.region_name}:{self.account_id}"
        database.manage_master_user_password = True
        database.master_user_secret = ManagedSecret(  # type: ignore[assignment]
            f"arn:{self.partition}:secretsmanager:{place}:secret:rds!db-{uuid.uuid4()}",
            f"arn:{self.partition}:kms:{place}:key/{uuid.uuid4()}",
        )


def _check_class(name: str) -> None:
    if not name.startswith("db.") or name.removeprefix("db.") not in INSTANCE_TYPES:
        raise RDSClientError("InvalidParameterValue", f"Invalid DB Instance class: {name}")
