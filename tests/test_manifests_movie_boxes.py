from collections.abc import Callable
from typing import Any

import pytest

from manifests.errors import MediaError
from manifests.isobmff import Reader
from manifests.movie_boxes import (
    Edit,
    Elst,
    Hdlr,
    Mdhd,
    Mvhd,
    Stsd,
    Tkhd,
    pull_elst,
    pull_hdlr,
    pull_mdhd,
    pull_mvhd,
    pull_stsd,
    pull_tkhd,
    push_elst,
    push_hdlr,
    push_mdhd,
    push_mvhd,
    push_stsd,
    push_tkhd,
)


@pytest.mark.parametrize(
    ("push", "pull", "value", "size"),
    [
        (push_mvhd, pull_mvhd, Mvhd(90_000, 2), 108),
        (push_tkhd, pull_tkhd, Tkhd(1, 1920, 1080), 92),
        (push_tkhd, pull_tkhd, Tkhd(1, volume=0x100), 92),
        (push_tkhd, pull_tkhd, Tkhd(2**32 - 1, 2**16 - 1, 2**16 - 1), 92),
        (push_mdhd, pull_mdhd, Mdhd(2**32 - 1, "eng"), 32),
        (push_mdhd, pull_mdhd, Mdhd(1, "zzz"), 32),
        (push_hdlr, pull_hdlr, Hdlr(b"soun"), 33),
        (push_elst, pull_elst, Elst((Edit(0, 1024),)), 28),
        (push_elst, pull_elst, Elst((Edit(2**32, -1), Edit(0, 2**31))), 16 + 2 * 20),
        (push_stsd, pull_stsd, Stsd(b"\0\0\0\x0cmp4abody"), 28),
    ],
)
def test_each_box_survives_a_round_trip_in_its_size(
    push: Callable[[bytearray, Any], None], pull: Callable[[Reader], Any], value: object, size: int
) -> None:
    box = bytearray()
    push(box, value)
    assert len(box) == size == int.from_bytes(box[:4], "big")
    assert pull(Reader(box[8:])) == value


def test_headers_with_64_bit_times_are_read() -> None:
    assert pull_mdhd(Reader(bytes.fromhex("01000000") + bytes(16) + b"\0\0\xbb\x80" + bytes(8) + b"\x15\xc7\0\0")) == (
        Mdhd(48_000, "eng")
    )
    tkhd = bytes.fromhex("01000007") + bytes(16) + b"\0\0\0\1" + bytes(8 + 16 + 4 + 36) + b"\0\xa0\0\0\0\x5a\0\0"
    assert pull_tkhd(Reader(tkhd)) == Tkhd(1, 160, 90)


def test_a_timescale_of_0_is_bad_media() -> None:
    with pytest.raises(MediaError, match="timescale is 0"):
        pull_mdhd(Reader(bytes(24)))


def test_an_edit_list_that_changes_the_rate_is_bad_media() -> None:
    with pytest.raises(MediaError, match="playing rate"):
        pull_elst(Reader(bytes.fromhex("00000000 00000001 00000000 00000000 00020000")))


def test_two_sample_descriptions_are_bad_media() -> None:
    with pytest.raises(MediaError, match="2 sample descriptions"):
        pull_stsd(Reader(bytes.fromhex("00000000 00000002")))
