"""Which bytes stand for a JSON value? One text per value (after RFC 8785), so that its hash survives storage."""

import json
import math
from typing import Any

_SAFE_INTEGER = 2**53


def canonical_json(value: Any) -> bytes:
    """Return UTF-8 with sorted keys and no spaces. Raises ValueError for what is not JSON: NaN, a date, a surrogate.

    Numbers are IEEE doubles as in RFC 8785, so that 1, 1.0 and what a `jsonb` column makes of them are the same. Only
    their exponent is written as Python writes it, not as ECMAScript does.
    """
    return "".join(_written(value)).encode()


def _written(value: Any) -> list[str]:
    if value is None or isinstance(value, bool):
        return [json.dumps(value)]
    if isinstance(value, str):
        return [json.dumps(value, ensure_ascii=False)]
    if isinstance(value, int | float):
        return [_number(value)]
    if isinstance(value, list | tuple):
        return _joined("[", (_written(item) for item in value), "]")
    if isinstance(value, dict):
        return _joined("{", ([*_key(key), ":", *_written(value[key])] for key in sorted(value, key=_utf16)), "}")
    raise ValueError(f"{type(value).__name__} is not JSON")


def _joined(opening: str, parts: Any, closing: str) -> list[str]:
    written = [opening]
    for index, part in enumerate(parts):
        if index:
            written.append(",")
        written.extend(part)
    return [*written, closing]


def _key(key: Any) -> list[str]:
    if not isinstance(key, str):
        raise ValueError("A JSON object has text keys")  # noqa: TRY004 - one error for everything that is not JSON
    return _written(key)


def _utf16(key: Any) -> bytes:
    """RFC 8785, 3.2.3: keys are ordered by their UTF-16 code units."""
    return str(key).encode("utf-16-be")


def _number(value: float) -> str:
    try:
        double = float(value)
    except OverflowError:
        raise ValueError("The number is too large") from None
    if not math.isfinite(double):
        raise ValueError("NaN and infinity are not JSON")
    if double.is_integer() and abs(double) < _SAFE_INTEGER:
        return str(int(double))
    return repr(double)
