"""Fixtures and options that more than one room uses."""

from dataclasses import dataclass
from pathlib import Path

import pytest

pytest_plugins = ["tests.alone", "tests.databases", "tests.houses", "tests.postgres", "tests.swift"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")


@dataclass(frozen=True, slots=True)
class Golden:
    """Whole texts, kept in `tests/golden/`."""

    update: bool

    def check(self, name: str, text: str) -> None:
        file = Path(__file__).parent / "golden" / name
        if self.update:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(text.encode())
        assert text.encode() == file.read_bytes(), f"{name} changed; if that is meant: pytest --update-golden"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.config.getoption("--update-golden"))
