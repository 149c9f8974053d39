"""The grammar of keys."""

import pytest

from storage.errors import InvalidKey
from storage.keys import checked_key, checked_prefix, is_id, new_id

DIRTY = [
    "/",
    "/a",
    "a//b",
    "..",
    "a/..",
    "a/../b",
    "./a",
    ".hidden",
    "a/.b",
    "a\n",
    "a b",
    "a\0",
    "a%2fb",
    "ä",
    "a" * 901,
]


@pytest.mark.parametrize("key", ["a", "originals/-x_Y9", "titles/t/v7/index/0.json", "a..b", "a/" * 400 + "a"])
def test_a_key_is_names_joined_by_slashes(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize("key", ["", "a/", *DIRTY])
def test_nothing_else_is_a_key(key: str) -> None:
    with pytest.raises(InvalidKey):
        checked_key(key)


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b.", "titles/t/"])
def test_a_prefix_is_how_a_key_begins(prefix: str) -> None:
    assert checked_prefix(prefix) == prefix


@pytest.mark.parametrize("prefix", DIRTY)
def test_nothing_else_is_a_prefix(prefix: str) -> None:
    with pytest.raises(InvalidKey):
        checked_prefix(prefix)


def test_new_ids_can_be_part_of_a_key_and_differ() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(is_id(each) and checked_key(f"originals/{each}") for each in ids)
