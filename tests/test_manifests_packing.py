import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError
from manifests.packing import pack_numbers, unpack_numbers


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_numbers_survive_a_round_trip(numbers: list[int]) -> None:
    assert unpack_numbers(pack_numbers(numbers)) == numbers


@pytest.mark.parametrize(("number", "size"), [(0, 1), (127, 1), (128, 2), (2**14 - 1, 2), (2**14, 3), (2**28 - 1, 4)])
def test_small_numbers_take_little_room(number: int, size: int) -> None:
    assert len(pack_numbers([number] * 3)) == 4 * size


@pytest.mark.parametrize(
    ("packed", "message"),
    [("!", "not base64"), ("gA==", "end inside a number"), ("////////////////", "more than 63 bits")],
)
def test_damage_is_bad_media(packed: str, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        unpack_numbers(packed)
