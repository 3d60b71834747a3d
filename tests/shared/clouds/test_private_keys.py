"""Is a key checked before it is used, and once only?"""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.clouds.private_keys import PrivateKeys


def pem_of(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def wrong_pem() -> str:
    """A key whose numbers do not belong together, as only somebody who means harm writes it."""
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    )
    return pem_of(wrong.private_key(unsafe_skip_rsa_key_validation=True))


def test_a_key_is_the_same_each_time_it_is_read() -> None:
    keys, key = PrivateKeys(), rsa.generate_private_key(public_exponent=65537, key_size=2048)
    first, second = keys.read(pem_of(key)), keys.read(pem_of(key))
    assert isinstance(first, rsa.RSAPrivateKey)
    assert isinstance(second, rsa.RSAPrivateKey)
    assert first.private_numbers() == second.private_numbers() == key.private_numbers()


def test_a_key_that_does_not_pass_is_refused_each_time() -> None:
    keys, pem = PrivateKeys(), wrong_pem()
    for _ in range(3):
        with pytest.raises(ValueError):
            keys.read(pem)


def test_what_has_passed_is_not_checked_again() -> None:
    """Shown by a key that never could: it is remembered as if it had."""
    keys, pem = PrivateKeys(), wrong_pem()
    keys._checked[hashlib.sha256(pem.encode()).digest()] = None
    assert isinstance(keys.read(pem), rsa.RSAPrivateKey)


def test_one_good_key_lends_its_name_to_no_other() -> None:
    keys = PrivateKeys()
    keys.read(pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    with pytest.raises(ValueError):
        keys.read(wrong_pem())


def test_what_is_remembered_is_bounded_and_holds_no_key() -> None:
    keys = PrivateKeys(remembered=2)
    read = [pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)) for _ in range(3)]
    for pem in read:
        keys.read(pem)
    assert len(keys._checked) == 2
    assert all(isinstance(kept, bytes) and len(kept) == 32 for kept in keys._checked)
