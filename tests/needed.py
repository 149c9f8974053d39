"""What to do where a test's server or browser is missing."""

import os
from pathlib import Path

import pytest

from tools.needs import Need


def needed(need: Need) -> Path:
    """Where it is. Without it the test fails, unless ALLOW_SKIPS=1 lets it be skipped."""
    found = need.find()
    if found is not None:
        return found
    message = f"{need.name} is missing: `make test` installs it where it may"
    if os.environ.get("ALLOW_SKIPS") == "1":
        pytest.skip(message)
    pytest.fail(message, pytrace=False)
