"""How are RDS databases made, found, changed, stopped and removed?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetLink, Assets, AssetSpec, AssetState, StopsAssets
from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.arns import last_part
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.database_subnets import make_subnet_group
from shared.clouds.aws.paging import pages_by
from shared.clouds.aws.subnets import subnets_in
from shared.clouds.aws.times import in_utc_or_none
from shared.clouds.errors import Conflict, IncorrectState, NotFound, StillWorking
from shared.clouds.models import TOKEN_TAG

# docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html, "Viewing DB instance status"
_STATES: Mapping[str, AssetState] = {
    "available": AssetState.RUNNING,
    "backing-up": AssetState.RUNNING,
    "creating": AssetState.CREATING,
    "deleting": AssetState.DELETING,
    "failed": AssetState.FAILED,
    "inaccessible-encryption-credentials": AssetState.FAILED,
    "incompatible-network": AssetState.FAILED,
    "incompatible-option-group": AssetState.FAILED,
    "incompatible-parameters": AssetState.FAILED,
    "incompatible-restore": AssetState.FAILED,
    "insufficient-capacity": AssetState.FAILED,
    "restore-error": AssetState.FAILED,
    "starting": AssetState.STARTING,
    "stopped": AssetState.STOPPED,
    "stopping": AssetState.STOPPING,
    "storage-config-upgrade": AssetState.RUNNING,
    "storage-full": AssetState.RUNNING,
    "storage-initialization": AssetState.RUNNING,
    "storage-optimization": AssetState.RUNNING,
}
"""It serves through what is not here (a change of its class, an upgrade), or will soon again."""
_IN_MOTION = frozenset({AssetState.CREATING, AssetState.CHANGING, AssetState.STARTING, AssetState.STOPPING})
_UP = frozenset({AssetState.RUNNING, AssetState.STARTING})
_DOWN = frozenset({AssetState.STOPPED, AssetState.STOPPING})


class AwsDatabases(Assets, StopsAssets):
    """A database's id is its ARN; its name is unique in account and region, which makes a create repeatable.

    The master password is made, kept and turned over by RDS in the account's own Secrets Manager
    (ManageMasterUserPassword): nobody types it, we never see it, and who may read the secret is the account's affair.
    `facts` name the secret. A database is encrypted, and has no address of the internet. Deleting it deletes its
    automatic backups too: keeping copies is the business of backup plans, which ask before anything is removed.
    """

    resource_type = "database"
    resource_subtype = "rds_instance"
    is_global = False

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        aws_tags.check_token(spec.token, operation="CreateDBInstance")
        name = spec.configuration["name"] or aws_tags.name_of(spec.token)
        source = spec.configuration["replica_of"]
        operation = "CreateDBInstance" if source is None else "CreateDBInstanceReadReplica"
        parameters = await self._parameters(region, name, spec)
        try:
            answer = await self._client.call("rds", region, operation, **parameters)
        except Conflict:
            known = await self._named(region, name)
            if known is None or known.token != spec.token:
                raise
            return known
        return _database(answer["DBInstance"], region)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        """By the name that the token gives; then, for a name of the client's, among all."""
        aws_tags.check_token(token, operation="find_by_token")
        named = await self._named(region, aws_tags.name_of(token))
        if named is not None and named.token == token:
            return named
        async for page in self.pages(region):
            for each in page:
                if each.token == token:
                    return each
        return None

    async def get(self, region: str, asset_id: str) -> Asset:
        answer = await self._client.call("rds", region, "DescribeDBInstances", DBInstanceIdentifier=last_part(asset_id))
        return _database(answer["DBInstances"][0], region)

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """RDS pages by 20 to 100 (API_DescribeDBInstances, MaxRecords)."""
        size = min(100, max(20, page_size))
        async for page in pages_by(
            self._client, "rds", region, "DescribeDBInstances", "Marker", lambda page: page.get("Marker"),
            MaxRecords=size,
        ):  # fmt: skip
            yield [_database(each, region) for each in page["DBInstances"]]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """At once and not in the next maintenance window: a change of the class costs a restart of minutes."""
        before = (await self.get(region, asset_id)).configuration
        changed = {
            parameter: configuration[field]
            for field, parameter in _CHANGEABLE.items()
            if configuration.get(field) != before[field]
        }
        if changed:
            await self._order(region, asset_id, "ModifyDBInstance", ApplyImmediately=True, **changed)

    async def start(self, region: str, asset_id: str) -> None:
        if (await self.get(region, asset_id)).state not in _UP:
            await self._order(region, asset_id, "StartDBInstance")

    async def stop(self, region: str, asset_id: str) -> None:
        """RDS itself starts it again after seven days (RDS User Guide, "Stopping a DB instance temporarily")."""
        if (await self.get(region, asset_id)).state not in _DOWN:
            await self._order(region, asset_id, "StopDBInstance")

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            if (await self.get(region, asset_id)).state is not AssetState.DELETING:
                await self._order(
                    region, asset_id, "DeleteDBInstance", SkipFinalSnapshot=True, DeleteAutomatedBackups=True
                )
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        listed = aws_tags.to_aws(tags, operation="AddTagsToResource")
        await self._client.call("rds", region, "AddTagsToResource", ResourceName=asset_id, Tags=listed)

    async def _order(self, region: str, asset_id: str, operation: str, **parameters: Any) -> None:
        """RDS says "invalid state" both for "not yet" and for "not in this one"; the state tells which."""
        try:
            await self._client.call("rds", region, operation, DBInstanceIdentifier=last_part(asset_id), **parameters)
        except IncorrectState as error:
            database = await self.get(region, asset_id)
            if database.state not in _IN_MOTION:
                raise
            raise StillWorking(
                error.code, f"{database.name} is {database.state}", provider=error.provider, operation=operation
            ) from None

    async def _named(self, region: str, name: str) -> Asset | None:
        try:
            return await self.get(region, name)
        except NotFound:
            return None

    async def _parameters(self, region: str, name: str, spec: AssetSpec) -> dict[str, Any]:
        given = spec.configuration
        parameters: dict[str, Any] = {
            "DBInstanceIdentifier": name,
            "DBInstanceClass": given["instance_type"],
            "MultiAZ": given["multi_az"],
            "PubliclyAccessible": False,
            "CopyTagsToSnapshot": True,
            "Tags": aws_tags.to_aws({**spec.tags, TOKEN_TAG: spec.token}, operation="CreateDBInstance"),
        }
        if given["security_groups"]:
            parameters["VpcSecurityGroupIds"] = list(given["security_groups"])
        if given["network_id"] is not None:
            subnets = await subnets_in(self._client, region, given["network_id"])
            parameters["DBSubnetGroupName"] = await make_subnet_group(
                self._client, region, given["network_id"], [each["SubnetId"] for each in subnets]
            )
        return {**parameters, **_what_it_holds(given, region)}


_CHANGEABLE: Mapping[str, str] = {
    "instance_type": "DBInstanceClass",
    "storage_gib": "AllocatedStorage",
    "multi_az": "MultiAZ",
    "backup_retention_days": "BackupRetentionPeriod",
}


def _what_it_holds(given: Mapping[str, Any], region: str) -> dict[str, Any]:
    """A replica has what its source has, which in the same region is called by its name and elsewhere by its ARN."""
    source = given["replica_of"]
    if source is not None:
        return {"SourceDBInstanceIdentifier": last_part(source) if f":{region}:" in source else source}
    own: dict[str, Any] = {
        "Engine": given["engine"],
        "AllocatedStorage": given["storage_gib"],
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "BackupRetentionPeriod": given["backup_retention_days"],
        "MasterUsername": given["master_username"],
        "ManageMasterUserPassword": True,
    }
    if given["engine_version"] is not None:
        own["EngineVersion"] = given["engine_version"]
    if given["database_name"] is not None:
        own["DBName"] = given["database_name"]
    return own


def _database(database: Mapping[str, Any], region: str) -> Asset:
    status = database["DBInstanceStatus"]
    endpoint = database.get("Endpoint") or {}
    groups = sorted(each["VpcSecurityGroupId"] for each in database.get("VpcSecurityGroups", []))
    network = (database.get("DBSubnetGroup") or {}).get("VpcId")
    source = _source(database)
    return Asset(
        id=database["DBInstanceArn"],
        name=database["DBInstanceIdentifier"],
        state=_STATES.get(status, AssetState.CHANGING),
        region=region,
        tags=aws_tags.from_aws(database.get("TagList")),
        configuration={
            "name": database["DBInstanceIdentifier"],
            "engine": database["Engine"],
            "engine_version": database.get("EngineVersion"),
            "instance_type": database["DBInstanceClass"],
            "storage_gib": database.get("AllocatedStorage"),
            "multi_az": bool(database.get("MultiAZ")),
            "backup_retention_days": database.get("BackupRetentionPeriod"),
            "master_username": database.get("MasterUsername"),
            "database_name": database.get("DBName"),
            "replica_of": source,
        },
        facts={
            "port": endpoint.get("Port"),
            "network_id": network,
            "security_groups": groups,
            "storage_encrypted": database.get("StorageEncrypted"),
            "publicly_accessible": database.get("PubliclyAccessible"),
            "master_secret": (database.get("MasterUserSecret") or {}).get("SecretArn"),
        },
        links=_links(network, groups, source),
        zone=database.get("AvailabilityZone"),
        address=endpoint.get("Address"),
        created_at=in_utc_or_none(database.get("InstanceCreateTime")),
        state_reason=None if status in {"available", "creating", "stopped"} else status,
    )


def _links(network: str | None, groups: list[str], source: str | None) -> tuple[AssetLink, ...]:
    """A replica serves on when its source is gone, with what it has."""
    links = [AssetLink("network", f"network:{network}", hard=True)] if network else []
    links += [AssetLink("firewall", f"security_group:{each}", hard=False) for each in groups]
    links += [AssetLink("replica_of", f"database:{source}", hard=False)] if source else []
    return tuple(links)


def _source(database: Mapping[str, Any]) -> str | None:
    """The ARN of a replica's source, which RDS names by its name when it is in the same region."""
    named: str | None = database.get("ReadReplicaSourceDBInstanceIdentifier")
    if named is None or named.startswith("arn:"):
        return named
    return f"{database['DBInstanceArn'].rpartition(':')[0]}:{named}"
