"""How does a libcloud driver reach this deployment's address, keep its time limits, and tell all of a refusal?

libcloud's own ways lose what the contract needs: its DigitalOcean driver drops `host=` (and would talk to the real
API), its errors drop status, body or Retry-After, each driver others.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from libcloud.common.base import ConnectionKey

from shared.clouds.settings import CloudSettings

_Base = TypeVar("_Base", bound=ConnectionKey)


class RefusedAnswer(Exception):
    """An answer with an error status, whole; headers by lower-case name. Its body may quote what was sent."""

    def __init__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


def connection_class(base: type[_Base], endpoint_url: str | None, settings: CloudSettings) -> type[_Base]:
    """A driver's `connectionCls`: `base` with our address (None: the provider's own), time limits and refusals."""
    response_base: Any = base.responseCls

    class Answer(response_base):  # type: ignore[misc]
        def parse_error(self) -> NoReturn:
            raise RefusedAnswer(self.status, self.headers, self.body)

        def parse_body(self) -> Any:
            self.connection.last_headers = self.headers
            return super().parse_body()

    class Connection(base):  # type: ignore[misc, valid-type]
        responseCls = Answer  # noqa: N815 - libcloud's name

        last_headers: Mapping[str, str] = MappingProxyType({})  # of the last answer that was no refusal

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            if endpoint_url is not None:
                address = urlsplit(endpoint_url)
                self.secure = int(address.scheme == "https")
                self.host = address.hostname
                self.port = address.port or (443 if self.secure else 80)
                self.request_path = address.path

        def connect(self, *arguments: Any, **options: Any) -> None:
            """The session's time-out goes to requests as it is: a pair limits connecting and reading."""
            super().connect(*arguments, **options)
            session = self.connection.session
            session.timeout = (settings.cloud_connect_timeout_s, settings.cloud_read_timeout_s)
            session.auth = _keep  # else a ~/.netrc of this machine would replace the tenant's token

    return Connection


def _keep(request: Any) -> Any:
    """The authentication of a request that carries its own already."""
    return request
