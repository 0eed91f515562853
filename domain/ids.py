"""Identifiers: a readable prefix and 128 random bits, sortable by nothing, guessable by nobody."""

import hashlib
import secrets


def new_id(prefix: str) -> str:
    """`case_` followed by 32 hex digits, for the prefix `case`."""
    return f"{prefix}_{secrets.token_hex(16)}"


def derived_id(prefix: str, *parts: str) -> str:
    """An identifier that is the same for the same parts, so that doing a thing twice makes one thing."""
    digest = hashlib.sha256("\x00".join(parts).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"
