"""Which passwords are good enough, and is this the right one? Argon2id; slow on purpose, so callers use a thread."""

import unicodedata
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from shared.kit.errors import FieldError, InvalidInput

MINIMUM_CHARACTERS = 12
MAXIMUM_CHARACTERS = 256
"""NIST SP 800-63B-4 asks to take 64 at least; an end keeps the work of one attempt bounded."""
MINIMUM_DISTINCT_CHARACTERS = 5
SALT_BYTES = 16
_NOBODY = "nobody has this password"


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the password was right, and whether its hash should be made anew with today's parameters."""

    right: bool
    needs_rehash: bool = False


class Passwords:
    """Hashes and verifies. Default: RFC 9106's second recommended option, 64 MiB and 3 passes (about 0.2 s)."""

    def __init__(
        self,
        *,
        memory_kib: int = RFC_9106_LOW_MEMORY.memory_cost,
        passes: int = RFC_9106_LOW_MEMORY.time_cost,
        parallelism: int = RFC_9106_LOW_MEMORY.parallelism,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=parallelism)
        self._nobody = self._hasher.hash(_NOBODY, salt=bytes(SALT_BYTES))

    def hash(self, password: str, salt: bytes) -> str:
        """Return the PHC string of a strong password; `salt` is 16 random bytes. Blocks."""
        if len(salt) != SALT_BYTES:
            raise ValueError(f"The salt must have {SALT_BYTES} bytes")
        return self._hasher.hash(_normalised(password), salt=salt)

    def verify(self, password: str, stored: str | None) -> Verification:
        """Compare with the stored PHC string; None, for an unknown user, costs the same and is never right. Blocks."""
        acceptable = _problem_of_form(password) is None
        try:
            self._hasher.verify(stored or self._nobody, _normalised(password) if acceptable else "")
        except (VerificationError, InvalidHashError):
            return Verification(right=False)
        if stored is None or not acceptable:
            return Verification(right=False)
        return Verification(right=True, needs_rehash=self._hasher.check_needs_rehash(stored))


def ensure_strong_password(password: str, email: str) -> None:
    """Raise InvalidInput unless it is long, varied and not the user's own name.

    No classes of characters are demanded: NIST SP 800-63B-4, 3.1.1.2, forbids composition rules.
    """
    problem = _problem_of_form(password) or _problem_of_strength(_normalised(password), email)
    if problem is not None:
        raise InvalidInput("the password is not acceptable", errors=[FieldError("/password", problem)])


def _problem_of_form(password: str) -> str | None:
    if len(password) > MAXIMUM_CHARACTERS:
        return f"must have at most {MAXIMUM_CHARACTERS} characters"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        return "must not hold control characters"
    return None


def _problem_of_strength(password: str, email: str) -> str | None:
    if len(password) < MINIMUM_CHARACTERS:
        return f"must have at least {MINIMUM_CHARACTERS} characters"
    if len(set(password)) < MINIMUM_DISTINCT_CHARACTERS:
        return f"must have at least {MINIMUM_DISTINCT_CHARACTERS} different characters"
    local_part = email.partition("@")[0].casefold()
    if len(local_part) >= 4 and local_part in password.casefold():
        return "must not hold the name of the e-mail address"
    return None


def _normalised(password: str) -> str:
    """The same password typed on another keyboard has other code points; NFKC makes them one (RFC 8265 uses NFC)."""
    return unicodedata.normalize("NFKC", password)
