"""Format, lint and types: as tests, so that one command gives one summary."""

import subprocess
import sys

import pytest

from tests.source import ROOT


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "format", "--check", "."], id="ruff format"),
        pytest.param(["ruff", "check", "."], id="ruff check"),
        pytest.param(["mypy"], id="mypy"),
    ],
)
def test_nothing_is_found_by(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)
