"""Names for what must not be guessed."""

import re
import secrets

ID_PATTERN = "[A-Za-z0-9_-]{22}"
_ID = re.compile(ID_PATTERN)


def new_id() -> str:
    """16 random bytes as base64url. Begins with a letter or digit, so that no command takes it for an option."""
    while not (name := secrets.token_urlsafe(16))[0].isalnum():
        pass
    return name


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
