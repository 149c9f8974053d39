"""The grammar of keys. It is strict, so that no key can name a file outside the store or one of the store's own."""

import re
import secrets

from storage.errors import InvalidKey

LONGEST_KEY = 900  # S3 allows 1,024 bytes, of which the prefix in the bucket takes some
NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}"

is_key = re.compile(rf"{NAME}(/{NAME})*").fullmatch
is_prefix = re.compile(rf"({NAME}/)*({NAME})?").fullmatch
is_id = re.compile(r"[A-Za-z0-9_-]{22}").fullmatch


def checked_key(key: str) -> str:
    """The key itself. Raises InvalidKey."""
    if len(key) > LONGEST_KEY or not is_key(key):
        raise InvalidKey(f"{key[:80]!r} is not the key of an object")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix itself: how a key may begin, or empty. Raises InvalidKey."""
    if len(prefix) > LONGEST_KEY or not is_prefix(prefix):
        raise InvalidKey(f"{prefix[:80]!r} is not how a key begins")
    return prefix


def new_id() -> str:
    """128 random bits, as a name that a key may hold."""
    return secrets.token_urlsafe(16)
