"""The mark `alone`."""

import threading
from pathlib import Path

from tests.alone import our_turn


def test_the_machine_is_shared_until_someone_wants_it_alone(tmp_path: Path) -> None:
    # Files of its own: the test run holds the machine for this very test.
    files = tmp_path / "gate", tmp_path / "machine"
    for file in files:
        file.touch()
    order: list[str] = []

    def wait_to_be_alone() -> None:
        with our_turn(True, *files):
            order.append("alone")

    with our_turn(False, *files), our_turn(False, *files):
        other = threading.Thread(target=wait_to_be_alone)
        other.start()
        other.join(0.2)
        order.append("shared")
    other.join()
    assert order == ["shared", "alone"]
