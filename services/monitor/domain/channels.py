"""What does a channel need to be told, which part of it is secret, and which channels hear of an alert?"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from shared.kit.errors import FieldError, InvalidInput
from shared.messages.alerts import SEVERITIES

TYPES: Final = ("slack", "email", "webhook")
URL_FIELD: Final = {"slack": "webhook_url", "webhook": "url"}
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - public, of the Standard Webhooks format
MASK: Final = "****"
MOST_RECIPIENTS: Final = 50
_SECRETS: Final = ("webhook_url", "url", "signing_secret")
_FIELDS: Final[Mapping[str, tuple[set[str], set[str]]]] = {
    "slack": ({"webhook_url"}, set()),
    "email": ({"recipients"}, set()),
    "webhook": ({"url"}, {"signing_secret"}),
}
"""Required and optional fields by type."""


def check_config(
    channel_type: str, config: Mapping[str, Any], is_mail_address: Callable[[str], bool]
) -> dict[str, Any]:
    """The config when it fits the type; raises InvalidInput with a pointer for each fault."""
    required, optional = _FIELDS[channel_type]
    errors = [FieldError(f"/config/{name}", "is required") for name in sorted(required - set(config))]
    errors += [
        FieldError(f"/config/{name}", f"is not a field of {channel_type}")
        for name in sorted(set(config) - required - optional)
    ]
    for name in (*URL_FIELD.values(), "signing_secret"):
        value = config.get(name)
        if name in config and (not isinstance(value, str) or not 1 <= len(value) <= 2000):
            errors.append(FieldError(f"/config/{name}", "is a text of at most 2,000 characters"))
    secret = config.get("signing_secret")
    if isinstance(secret, str) and secret and _key_of(secret) is None:
        errors.append(FieldError("/config/signing_secret", f"is {SECRET_PREFIX} and 24 to 64 bytes in base64"))
    errors += _recipient_errors(config.get("recipients"), is_mail_address) if "recipients" in config else []
    if errors:
        raise InvalidInput("the channel's config does not fit", errors=errors)
    return dict(config)


def _recipient_errors(recipients: Any, is_mail_address: Callable[[str], bool]) -> list[FieldError]:
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= MOST_RECIPIENTS:
        return [FieldError("/config/recipients", f"is a list of 1 to {MOST_RECIPIENTS} addresses")]
    return [
        FieldError(f"/config/recipients/{index}", "is a mail address")
        for index, each in enumerate(recipients)
        if not isinstance(each, str) or not is_mail_address(each)
    ]


def masked(config: Mapping[str, Any], host: str | None) -> dict[str, Any]:
    """What is shown of a config: of an address its host, of a secret nothing."""
    shown = {name: value for name, value in config.items() if name not in _SECRETS}
    for name in _SECRETS:
        if name in config:
            shown[name] = f"{host}/{MASK}" if name != "signing_secret" and host else MASK
    return shown


def _key_of(secret: str) -> bytes | None:
    """The key of a Standard Webhooks secret, None when it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if secret.startswith(SECRET_PREFIX) and 24 <= len(key) <= 64 else None


def signing_key(secret: str) -> bytes:
    """The key of a secret that `check_config` accepted."""
    return _key_of(secret) or secret.encode()


def new_secret(random: bytes) -> str:
    """A Standard Webhooks secret of 24 random bytes."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def hears(channel: Mapping[str, Any], severity: str, named: Sequence[str]) -> bool:
    """Whether a channel hears of an alert.

    A rule that names channels (by id, or by type for all of that type) reaches exactly those. One that names none
    reaches every enabled channel whose minimum severity it meets. A disabled channel hears nothing.
    """
    if not channel["is_enabled"]:
        return False
    if named:
        return _is_named(channel, named)
    return SEVERITIES.index(severity) >= SEVERITIES.index(channel["minimum_severity"])


def are_named(channels: Iterable[Mapping[str, Any]], named: Sequence[str]) -> bool:
    """Whether any of these channels, enabled or not, is one of those that a rule or a budget names."""
    return any(_is_named(channel, named) for channel in channels)


def listeners(channels: Sequence[Mapping[str, Any]], severity: str, named: Sequence[str]) -> list[Mapping[str, Any]]:
    """The channels that hear of an alert.

    When none of the named ones is there (deleted since, or never made) an alert would be silent: then it is told as if
    none were named. A named channel that is there and disabled stays silent: that was somebody's wish.
    """
    wanted = named if are_named(channels, named) else ()
    return [channel for channel in channels if hears(channel, severity, wanted)]


def _is_named(channel: Mapping[str, Any], named: Sequence[str]) -> bool:
    return str(channel["id"]) in named or channel["channel_type"] in named
