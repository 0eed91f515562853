"""Passwords: argon2id, off the writer's thread, and as slow for an unknown address as for a known one.

Hashing takes a while on purpose, so it happens before a transaction and never inside one.
"""

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

GENERATED_BYTES = 15
"""Twenty characters: long enough to be safe for ever, short enough to be typed once."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    """The hash of a password that nobody has: what is compared where there is no account."""
    return hashed(secrets.token_urlsafe(32))


def hashed(password: str) -> str:
    """What is kept of a password. Takes some tens of milliseconds."""
    return _hasher().hash(_same_everywhere(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether it is the password of `kept`; without one it is never right, and takes as long."""
    try:
        _hasher().verify(kept or _nobodys(), _same_everywhere(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def generated() -> str:
    """A password to be shown once."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def _same_everywhere(password: str) -> str:
    """Keyboards write one letter in several ways; NFKC makes them one."""
    return unicodedata.normalize("NFKC", password)
