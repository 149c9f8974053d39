"""Tests marked `alone` have the machine to themselves: those that measure time, or play in real time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Any two files that all processes see: only the locks on them matter.
GATE = Path(__file__)
MACHINE = Path(__file__).with_name("__init__.py")


@contextmanager
def our_turn(alone: bool, gate_file: Path = GATE, machine_file: Path = MACHINE) -> Iterator[None]:
    """Hold the machine, together with others or alone.

    Who waits to be alone keeps the gate closed meanwhile: otherwise others would overtake for ever.
    """
    with gate_file.open() as gate, machine_file.open() as machine:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


# First of all wrappers: a test's timeout must not count the wait.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    with our_turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)
