import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError, Truncated
from manifests.isobmff import Reader, push_box, push_full_box


def test_a_box_that_is_cut_says_how_much_is_missing() -> None:
    reader = Reader(bytes.fromhex("0000000c6672656500"))
    with pytest.raises(Truncated, match="box ends 3 bytes early"):
        list(reader.boxes())


def test_boxes_nest() -> None:
    out = bytearray()
    with push_box(out, b"moov"), push_full_box(out, b"trak", version=1, flags=0x020304):
        out += b"body"
    trak = Reader(out).child(b"moov", b"trak")
    assert trak.pull_version() == (1, 0x020304)
    assert trak.pull_bytes(4) == b"body"
    assert trak.remaining == 0


def test_a_missing_box_is_named_with_its_path() -> None:
    with pytest.raises(MediaError, match="box 'moov' > 'trak' is missing"):
        Reader(bytes.fromhex("000000086d6f6f76")).child(b"moov", b"trak")


def test_looking_for_a_box_leaves_the_cursor() -> None:
    reader = Reader(bytes.fromhex("000000086d6f6f76"))
    assert reader.find(b"moov") is not None
    assert reader.find(b"trak") is None
    assert reader.position == 0


def test_a_size_of_64_bits_is_read() -> None:
    (box,) = Reader(bytes.fromhex("00000001 6d646174 0000000000000012 abcd")).boxes()
    assert (box.type, box.size_bytes, box.body.pull_bytes(2)) == (b"mdat", 18, b"\xab\xcd")


def test_a_size_of_0_means_to_the_end() -> None:
    (box,) = Reader(bytes.fromhex("00000000 6d646174 abcd")).boxes()
    assert (box.size_bytes, box.body.remaining) == (10, 2)


@pytest.mark.parametrize("size", ["00000007 6d646174", "00000001 6d646174 000000000000000f"])
def test_a_size_smaller_than_the_header_is_bad_media(size: str) -> None:
    with pytest.raises(MediaError, match="less than its own header"):
        list(Reader(bytes.fromhex(size)).boxes())


def test_signed_numbers_keep_their_sign() -> None:
    assert Reader(b"\xff\xff\xff\xfe").pull_int(4) == -2


@given(st.binary(max_size=64))
def test_any_bytes_give_boxes_that_cover_them_or_bad_media(data: bytes) -> None:
    try:
        boxes = list(Reader(data).boxes())
    except MediaError:
        return
    assert sum(box.size_bytes for box in boxes) == len(data)
    assert [box.offset_bytes for box in boxes] == [
        sum(box.size_bytes for box in boxes[:position]) for position in range(len(boxes))
    ]


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=20))))
def test_boxes_survive_a_round_trip(boxes: list[tuple[bytes, bytes]]) -> None:
    out = bytearray()
    for box_type, body in boxes:
        with push_box(out, box_type):
            out += body
    read = [(box.type, box.body.pull_bytes(box.body.remaining)) for box in Reader(out).boxes()]
    assert read == boxes
