"""What of a resource is paid for? A rule for each kind that has a price, and a reason for each that has none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.costs.domain.resources import Facts
from shared.clouds.models import price_item

COMPUTE, STORAGE, DATABASE, NETWORK, OTHER = "compute", "storage", "database", "network", "other"
VOLUME, SNAPSHOT, MACHINE_IMAGE = "volume", "snapshot", "machine_image"
MACHINES = frozenset({"ec2_instance", "virtual_machine", "gce_instance", "droplet", "linode", "vultr_instance"})
"""The subtypes of the six clouds whose price is that of their type."""

_FRONT_DOOR = "Standard_AzureFrontDoor"

Configuration = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a resource that is paid for; a resource has one at most of each category.

    `quantity` None: how much of it there is is not known. `usage` is what is paid for by use beside it, or instead of
    it: nobody measures that, so no price of it is known.
    """

    category: str
    item: str
    quantity: Decimal | None
    while_stopped: bool
    usage: str | None = None


UNPRICED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("aws", "s3_bucket"): (STORAGE, "what is stored in it, requests and traffic are not measured"),
    ("aws", "cloudfront_distribution"): (NETWORK, "requests and traffic are not measured"),
    ("azure", "storage_account"): (STORAGE, "what is stored in it, requests and traffic are not measured"),
    ("gcp", "gcs_bucket"): (STORAGE, "what is stored in it, requests and traffic are not measured"),
    ("gcp", "network_load_balancer"): (NETWORK, "no list of Google's forwarding rules of a region was found"),
    ("gcp", "vpc_network"): (NETWORK, "no page of Google's was found that names one, or says that it is free"),
    ("digitalocean", "spaces_bucket"): (STORAGE, "the account pays one subscription for all of its buckets"),
    ("digitalocean", "domain"): (NETWORK, "no dated page of DigitalOcean's was found that says that it is free"),
    ("digitalocean", "vpc"): (NETWORK, "no page of DigitalOcean's was found that says that it is free"),
    ("linode", "object_storage_bucket"): (STORAGE, "the account pays one subscription for all of its buckets"),
    ("vultr", "volume"): (STORAGE, "no list of Vultr's block storage was found"),
    ("vultr", "load_balancer"): (NETWORK, "no list of Vultr's load balancers was found"),
    ("vultr", "cdn_pull_zone"): (NETWORK, "requests and traffic are not measured"),
    ("vultr", "dns_domain"): (NETWORK, "no page of Vultr's was found that says that it is free"),
    ("vultr", "vpc"): (NETWORK, "no page of Vultr's was found that says that it is free"),
}
"""By provider and subtype: the category, and why no price of it is known. Everything else that can be made has one."""


def components(facts: Facts) -> tuple[Component, ...]:
    """What is paid for: a machine pays for its type while it runs, a volume and a snapshot for their size until gone.

    A spot machine pays the spot price of its type; where none is known it is unknown, and not the price on demand.
    A machine's volumes are resources of their own and pay for themselves; what disk comes with a type is in its price.
    A snapshot counts with the size of its volume: what is stored of it is less, and no provider says how much.
    """
    subtype, configuration = facts.resource_subtype, facts.configuration
    kind = (facts.provider_name, subtype)
    if kind in UNPRICED:
        category, reason = UNPRICED[kind]
        return (Component(category, subtype, None, while_stopped=True, usage=reason),)
    if kind in _ASSETS:
        return _ASSETS[kind](configuration)
    if subtype in MACHINES:
        instance_type = str(configuration.get("instance_type", "unknown"))
        item = price_item(instance_type, configuration.get("capacity_type"))
        return (Component(COMPUTE, item, Decimal(1), while_stopped=False),)
    if subtype in {VOLUME, SNAPSHOT, MACHINE_IMAGE}:
        return (
            Component(STORAGE, _stored(subtype, configuration), _amount(configuration, "size_gib"), while_stopped=True),
        )
    return (Component(OTHER, subtype, None, while_stopped=True),)


def _stored(subtype: str, configuration: Configuration) -> str:
    if subtype != VOLUME:
        return subtype
    kind = configuration.get("kind")
    return f"disk:{kind}" if kind else "disk"


def _amount(configuration: Configuration, field: str) -> Decimal | None:
    amount = configuration.get(field)
    return Decimal(amount) if isinstance(amount, int) else None


def _one(category: str, item: str, usage: str | None = None) -> Callable[[Configuration], tuple[Component, ...]]:
    """A kind of which each thing costs the same."""
    part = Component(category, item, Decimal(1), while_stopped=True, usage=usage)
    return lambda _: (part,)


def _rds_instance(configuration: Configuration) -> tuple[Component, ...]:
    """RDS User Guide, "Stopping an Amazon RDS DB instance": one that stands still pays for its storage only."""
    ways = ":multi_az" if configuration.get("multi_az") else ""
    item = f"database:{configuration.get('engine')}:{configuration.get('instance_type')}{ways}"
    return (
        Component(DATABASE, item, Decimal(1), while_stopped=False, usage="backups beyond the size of its storage"),
        Component(STORAGE, f"database_storage{ways}", _amount(configuration, "storage_gib"), while_stopped=True),
    )


def _cloud_sql_instance(configuration: Configuration) -> tuple[Component, ...]:
    """One that stands still pays for its storage only: "Instance settings" (cloud.google.com/sql/docs)."""
    ways = ":high_availability" if configuration.get("high_availability") else ""
    item = f"database:{configuration.get('instance_type')}{ways}"
    return (
        Component(DATABASE, item, Decimal(1), while_stopped=False, usage="backups"),
        Component(STORAGE, f"database_storage{ways}", _amount(configuration, "storage_gib"), while_stopped=True),
    )


def _sql_database(configuration: Configuration) -> tuple[Component, ...]:
    """Sizes in DTU (S0, P1) have storage in their price, those in vCores (GP_Gen5_2) pay for it by the GiB."""
    size, ways = (
        str(configuration.get("instance_type")),
        ":zone_redundant" if configuration.get("zone_redundant") else "",
    )
    tier, _, is_in_vcores = size.partition("_")
    usage = "backups" if is_in_vcores else "backups, storage beyond what comes with its size"
    database = Component(DATABASE, f"database:{size}{ways}", Decimal(1), while_stopped=True, usage=usage)
    if not is_in_vcores:
        return (database,)
    size_gib = _amount(configuration, "storage_gib")
    return (database, Component(STORAGE, f"database_storage:{tier}{ways}", size_gib, while_stopped=True))


def _database_cluster(configuration: Configuration) -> tuple[Component, ...]:
    """Each node of a cluster at DigitalOcean costs its size, one that stands by as well."""
    item = f"database:{configuration.get('engine')}:{configuration.get('instance_type')}"
    usage = "storage beyond what comes with its size"
    return (Component(DATABASE, item, _amount(configuration, "nodes"), while_stopped=True, usage=usage),)


def _linode_database(configuration: Configuration) -> tuple[Component, ...]:
    """Three nodes have a price of their own, less than three times that of one; a suspended cluster counts on."""
    item = f"database:{configuration.get('instance_type')}:{configuration.get('cluster_size') or 1}"
    return (Component(DATABASE, item, Decimal(1), while_stopped=True),)


def _vultr_database(configuration: Configuration) -> tuple[Component, ...]:
    return (Component(DATABASE, f"database:{configuration.get('instance_type')}", Decimal(1), while_stopped=True),)


def _object_storage(configuration: Configuration) -> tuple[Component, ...]:
    """A subscription, whatever is in it; which tier it has is known where the order names it."""
    tier = configuration.get("tier_id")
    if tier is None:
        reason = "which of its tiers it has is not known"
        return (Component(STORAGE, "object_storage", None, while_stopped=True, usage=reason),)
    usage = "what is stored and sent beyond 1,000 GB"
    return (Component(STORAGE, f"object_storage:{tier}", Decimal(1), while_stopped=True, usage=usage),)


def _elastic_load_balancer(configuration: Configuration) -> tuple[Component, ...]:
    item = f"load_balancer:{configuration.get('load_balancer_type')}"
    return (Component(NETWORK, item, Decimal(1), while_stopped=True, usage="what it carries (capacity units)"),)


def _azure_load_balancer(configuration: Configuration) -> tuple[Component, ...]:
    sku = configuration.get("sku") or "Standard"  # ours are; only one that was found names its own
    item = "load_balancer" if sku == "Standard" else f"load_balancer:{sku}"
    usage = "what it carries, rules beyond the first five"
    return (Component(NETWORK, item, Decimal(1), while_stopped=True, usage=usage),)


def _front_door(configuration: Configuration) -> tuple[Component, ...]:
    sku = configuration.get("sku") or _FRONT_DOOR  # ours are; only one that was found names its own
    item = "front_door" if sku == _FRONT_DOOR else f"front_door:{sku}"
    return (Component(NETWORK, item, Decimal(1), while_stopped=True, usage="requests and traffic"),)


def _digitalocean_load_balancer(configuration: Configuration) -> tuple[Component, ...]:
    """What passes through it is traffic of the droplets behind it."""
    kind = configuration.get("type") or "REGIONAL"  # ours are; only one that was found names its own
    item = "load_balancer" if kind == "REGIONAL" else f"load_balancer:{kind}"
    return (Component(NETWORK, item, _amount(configuration, "nodes"), while_stopped=True),)


_ASSETS: Mapping[tuple[str, str], Callable[[Configuration], tuple[Component, ...]]] = {
    ("aws", "rds_instance"): _rds_instance,
    ("aws", "load_balancer"): _elastic_load_balancer,
    ("aws", "vpc"): _one(NETWORK, "vpc"),
    ("aws", "route53_zone"): _one(NETWORK, "route53_zone", "queries, records beyond 10,000"),
    ("azure", "sql_database"): _sql_database,
    ("azure", "load_balancer"): _azure_load_balancer,
    ("azure", "virtual_network"): _one(NETWORK, "virtual_network"),
    ("azure", "dns_zone"): _one(NETWORK, "dns_zone", "queries"),
    ("azure", "front_door"): _front_door,
    ("gcp", "cloud_sql_instance"): _cloud_sql_instance,
    ("gcp", "application_load_balancer"): _one(NETWORK, "forwarding_rule", "what it carries"),
    ("gcp", "cloud_cdn"): _one(NETWORK, "forwarding_rule", "what it serves, and fetches to serve it"),
    ("gcp", "cloud_dns_zone"): _one(NETWORK, "cloud_dns_zone", "queries"),
    ("digitalocean", "database_cluster"): _database_cluster,
    ("digitalocean", "load_balancer"): _digitalocean_load_balancer,
    ("digitalocean", "cdn_endpoint"): _one(NETWORK, "cdn_endpoint", "traffic beyond that of the subscription"),
    ("linode", "managed_database"): _linode_database,
    ("linode", "nodebalancer"): _one(NETWORK, "nodebalancer"),
    ("linode", "vpc"): _one(NETWORK, "vpc"),
    ("linode", "domain"): _one(NETWORK, "domain"),
    ("vultr", "managed_database"): _vultr_database,
    ("vultr", "object_storage"): _object_storage,
}
"""By provider and subtype: two clouds mean different things by the same word."""
