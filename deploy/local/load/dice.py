"""Which number comes up for a key? The same one in every process: never random(), never hash()."""

import hashlib


def chance(*key: object) -> float:
    """A number in [0, 1) that is the same for the same key."""
    text = "|".join(map(str, key)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64
