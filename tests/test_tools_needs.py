"""What tests need from the system is found, or named."""

import os

import pytest

from tools.needs import Need, find_postgres, go_on_without

NOWHERE = Need("a harp", lambda: None, ("harp",), "every test with a harp")


def test_the_programs_of_postgresql_are_found_in_their_own_folder() -> None:
    folder = find_postgres()
    if folder is None:
        pytest.skip("PostgreSQL is missing")
    assert os.access(folder / "initdb", os.X_OK)
    assert not (folder / "initdb").is_symlink()


@pytest.mark.parametrize(("allow_skips", "goes_on"), [(False, False), (True, True)])
def test_what_is_left_out_is_named_and_must_be_allowed(
    allow_skips: bool, goes_on: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go_on_without([NOWHERE], allow_skips=allow_skips) == goes_on
    assert "every test with a harp" in capsys.readouterr().out


def test_nothing_missing_needs_no_leave() -> None:
    assert go_on_without([], allow_skips=False)
