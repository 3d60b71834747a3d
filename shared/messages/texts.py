"""Which characters may a text field hold? What a database, a log line and a cloud's console can all show."""

from typing import Annotated

from pydantic import StringConstraints

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line: no control characters (PostgreSQL refuses NUL, a line break would forge log lines)."""
Prose = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Several lines; anything but NUL."""
