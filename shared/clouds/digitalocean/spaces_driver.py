"""Which driver of libcloud talks to Spaces, and how does Spaces complain?

libcloud's own knows four regions and signs as S3 did until 2014; its errors keep no code. Sources:
docs.digitalocean.com/reference/api/spaces; the codes: "Error responses" (docs.aws.amazon.com/AmazonS3/latest/API).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from libcloud.common.aws import SignedAWSConnection
from libcloud.storage.drivers.s3 import API_VERSION, NAMESPACE, BaseS3Connection, BaseS3StorageDriver, S3Response

from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.errors import AuthFailed, InvalidRequest, QuotaExceeded, RateLimited
from shared.clouds.libcloud.connection import connection_class
from shared.clouds.libcloud.errors import Complaint, Sentence, Vocabulary
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings

_HOST = "digitaloceanspaces.com"


def host_of(region: str) -> str:
    return f"{region}.{_HOST}"


class _Answer(S3Response):
    def success(self) -> bool:
        """Libcloud takes some refusals for answers."""
        return 200 <= int(self.status) <= 299

    def parse_body(self) -> Any:
        """An object is no XML."""
        base: Any = super()
        text = str(self.body or "")
        return base.parse_body() if text.lstrip().startswith("<") else text


class _Connection(SignedAWSConnection, BaseS3Connection):
    service_name = "s3"
    version = API_VERSION
    responseCls = _Answer  # noqa: N815 - libcloud's name

    def __init__(self, *arguments: Any, **options: Any) -> None:
        base: Any = super()
        base.__init__(*arguments, **{**options, "signature_version": 4})


class SpacesDriver(BaseS3StorageDriver):
    """The buckets of one region; their paths begin with their names."""

    name = "DigitalOcean Spaces"

    def ask(self, method: str, path: str, query: Mapping[str, str] | None = None, body: str = "") -> Any:
        """What libcloud has no method for: an answer's XML, or its text."""
        return self.connection.request(path, params=dict(query or {}), data=body, method=method).object

    def texts(self, document: Any, path: str) -> list[dict[str, str]]:
        """The elements at a path, each as the texts of its own elements by their names; none in an empty answer."""
        found = [] if isinstance(document, str) else document.findall(f"{{{NAMESPACE}}}{path}")
        return [{part.tag.rpartition("}")[2]: part.text or "" for part in each} for each in found]


class SpacesDrivers:
    """A driver for each region, for one call at a time."""

    def __init__(self, make: Callable[[str], SpacesDriver]) -> None:
        self._make = make
        self._drivers: dict[str, SpacesDriver] = {}
        self.connection: Any = None
        """Of the last call, for what it said about limits."""

    def of(self, region: str) -> SpacesDriver:
        driver = self._drivers.get(region) or self._make(region)
        self._drivers[region] = driver
        self.connection = driver.connection
        return driver


def drivers_maker(key: Credentials, settings: CloudSettings) -> Callable[[], SpacesDrivers]:
    """With the deployment's address for the API, Spaces of all regions are there too: a signature names its region."""
    endpoint = settings.digitalocean_endpoint_url
    connection = connection_class(_Connection, None if endpoint is None else str(endpoint), settings)

    def make(region: str) -> SpacesDriver:
        class Driver(SpacesDriver):
            connectionCls = connection  # noqa: N815 - libcloud's name
            region_name = region

        driver_class: Any = Driver
        made: SpacesDriver = driver_class(key["access_key"], key["secret_key"], host=host_of(region))
        return made

    return lambda: SpacesDrivers(make)


def _parse(body: str) -> dict[str, str]:
    """Raises ValueError for what is no error of S3."""
    code = re.search(r"<Code>([^<]+)</Code>", body)
    if code is None:
        raise ValueError("no code")
    message = re.search(r"<Message>([^<]*)</Message>", body)
    return {"code": code[1], "message": message[1] if message is not None and message[1] else code[1]}


def _read(document: Mapping[str, Any]) -> Complaint:
    return Complaint(str(document["code"]), f"{document['code']}: {document['message']}")


SENTENCES = (
    Sentence(400, r"^TooManyBuckets", QuotaExceeded),
    Sentence(400, r"^InvalidBucketName", InvalidRequest, "name"),
    Sentence(403, r"^(InvalidAccessKeyId|SignatureDoesNotMatch)", AuthFailed),
    Sentence(503, r"^SlowDown", RateLimited),
)
VOCABULARY = Vocabulary(PROVIDER, SENTENCES, _read, fields={}, parse=_parse)
