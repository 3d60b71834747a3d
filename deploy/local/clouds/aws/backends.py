"""Which of moto's services are served, and how does one backend become bytes and come back?"""

import copyreg
import io
import pickle
from collections import ChainMap
from typing import Any, Protocol, runtime_checkable

from moto import settings
from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend

from deploy.local.clouds.aws import pages, quotas
from deploy.local.clouds.aws.buckets import TaggedBuckets
from deploy.local.clouds.aws.compute import SlowCompute
from deploy.local.clouds.aws.databases import SlowDatabases
from deploy.local.clouds.aws.distributing import SlowDistributions
from deploy.local.clouds.aws.load_balancing import SlowLoadBalancing
from deploy.local.clouds.aws.monitoring import FastMonitoring
from deploy.local.clouds.aws.naming import ReferencedZones
from deploy.local.clouds.aws.storage import BackendKey
from deploy.local.clouds.clock import Clock

# Name in the credential scope -> moto's name. What is not here is refused: its state could not be kept.
SERVED = {
    "ec2": "ec2",
    "sts": "sts",
    "iam": "iam",
    "monitoring": "cloudwatch",
    "s3": "s3",
    "rds": "rds",
    "cloudfront": "cloudfront",
    "route53": "route53",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "ssm": "ssm",
}
# Backends that a call to another service makes when there are none yet, a network with random ids among them.
MADE_BESIDE = {"rds": ("ec2",), "elbv2": ("ec2",)}
# What they tell is the same for all: the newest images, the quotas. The rest of SSM's state does not pickle.
READ_ONLY = frozenset({"ssm", "service-quotas"})


@runtime_checkable
class Settles(Protocol):
    """A backend whose states take time."""

    def settle(self) -> None: ...


def install(clock: Clock, state_seconds: float) -> None:
    """Puts our backends and validations in moto's place. Called once, before the first call or load."""
    settings.ENABLE_AMI_VALIDATION = True
    settings.EC2_ENABLE_INSTANCE_TYPE_VALIDATION = True
    pages.install()
    quotas.install()
    for slow in (SlowCompute, SlowDatabases, SlowDistributions, SlowLoadBalancing):
        slow.clock, slow.state_seconds = clock, state_seconds
    _backends("ec2").backend = SlowCompute
    SlowDistributions.install()
    ReferencedZones.install()
    _backends("rds").backend = SlowDatabases
    _backends("cloudfront").backend = SlowDistributions
    _backends("route53").backend = ReferencedZones
    _backends("elbv2").backend = SlowLoadBalancing
    _backends("cloudwatch").backend = FastMonitoring
    _backends("s3").backend = TaggedBuckets


def _backends(service: str) -> BackendDict[Any]:
    return get_backend(service)  # type: ignore[call-overload, no-any-return]


def live_backend(service: str, account_id: str, region: str) -> BaseBackend:
    """The backend of this name in this process, made if there is none yet. Saved states refer to each other by it."""
    backend: BaseBackend = _backends(service)[account_id][region]
    return backend


def all_backends(service: str) -> list[tuple[str, str, Any]]:
    """(account, region, backend) of every backend that exists."""
    return list(_backends(service).iter_backends())


def settle(service: str, account_id: str, region: str) -> None:
    """Lets everything arrive whose time has come in the backends that a call to this service asks."""
    asked = (service, account_id, region)
    for each, account, place in (*keys_of(*asked), *made_beside(*asked)):
        backend = live_backend(each, account, place)
        if isinstance(backend, Settles):
            backend.settle()


def keys_of(service: str, account_id: str, region: str) -> list[BackendKey]:
    """The backends that a call to this service may have changed: the region's, or the global one of its partition."""
    if service in READ_ONLY:
        return []
    if service == "sts":  # a role belongs to its own account, whoever assumes it
        return [(service, account, place) for account, place, _ in all_backends(service)]
    existing: dict[str, Any] = _backends(service).get(account_id, {})
    return [(service, account_id, place) for place in (region, "aws") if dict.__contains__(existing, place)]


def made_beside(service: str, account_id: str, region: str) -> list[BackendKey]:
    """The backends of other services that a call to this one may have made, and that it does not change."""
    return [key for each in MADE_BESIDE.get(service, ()) for key in keys_of(each, account_id, region)]


def newest_image(account_id: str, region: str) -> str:
    """The newest Amazon Linux 2023 image, which most machines boot from."""
    images = live_backend("ec2", account_id, region).amis  # type: ignore[attr-defined]
    named = {str(image.name): identifier for identifier, image in images.items()}
    return str(named[max(name for name in named if name.startswith("al2023-ami-2023") and name.endswith("x86_64"))])


def dump(key: BackendKey) -> bytes:
    """The state of one backend. Other backends it points to, and itself, are written as their names."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL)
    named = {}
    for service in SERVED.values():
        for account_id, region, backend in all_backends(service):
            named[id(backend)] = (service, account_id, region)
    kinds = {type(backend) for service in SERVED.values() for _, _, backend in all_backends(service)}

    def name(backend: BaseBackend) -> Any:
        return live_backend, named[id(backend)]

    pickler.dispatch_table = ChainMap(dict.fromkeys(kinds, name), copyreg.dispatch_table)  # type: ignore[arg-type]
    pickler.dump(live_backend(*key).__dict__)
    return buffer.getvalue()


def load(key: BackendKey, state: bytes) -> None:
    """Puts a saved state into this process. The file is ours and private, so unpickling is as safe as importing."""
    backend = live_backend(*key)
    backend.__dict__ = pickle.loads(state)
    if isinstance(backend, TaggedBuckets):
        backend.claim_names()
