import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.boxes import (
    Mfhd,
    SampleDefaults,
    Tfdt,
    Tfhd,
    Trex,
    Trun,
    TrunSample,
    pull_mfhd,
    pull_tfdt,
    pull_tfhd,
    pull_trex,
    pull_trun,
    push_mfhd,
    push_tfdt,
    push_tfhd,
    push_trex,
    push_trun,
)
from manifests.errors import MediaError, Truncated, Unsupported
from manifests.isobmff import Reader

uint32 = st.integers(0, 2**32 - 1)
int32 = st.integers(-(2**31), 2**31 - 1)
maybe_uint32 = st.none() | uint32


@pytest.mark.parametrize("ticks", [0, 2**32 - 1, 2**32, 2**63])
def test_tfdt_survives_a_round_trip_in_a_box_of_one_size(ticks: int) -> None:
    box = bytearray()
    push_tfdt(box, Tfdt(ticks))
    assert len(box) == 20
    assert pull_tfdt(Reader(box[8:])) == Tfdt(ticks)


def test_the_small_tfdt_of_others_is_read() -> None:
    assert pull_tfdt(Reader(bytes.fromhex("00000000 ffffffff"))) == Tfdt(2**32 - 1)


def test_a_truncated_tfdt_is_bad_media() -> None:
    with pytest.raises(Truncated, match="ends 4 bytes early"):
        pull_tfdt(Reader(bytes.fromhex("00000000")))


@pytest.mark.parametrize("number", [1, 2**32 - 1])
def test_mfhd_survives_a_round_trip(number: int) -> None:
    box = bytearray()
    push_mfhd(box, Mfhd(number))
    assert pull_mfhd(Reader(box[8:])) == Mfhd(number)


@given(uint32, st.builds(SampleDefaults, maybe_uint32, maybe_uint32, maybe_uint32))
def test_tfhd_survives_a_round_trip_with_any_defaults(track_id: int, defaults: SampleDefaults) -> None:
    box = bytearray()
    push_tfhd(box, Tfhd(track_id, defaults))
    assert pull_tfhd(Reader(box[8:])) == Tfhd(track_id, defaults)


def test_a_fragment_addressed_from_its_file_is_not_supported() -> None:
    with pytest.raises(Unsupported, match="not from its moof"):
        pull_tfhd(Reader(bytes.fromhex("00000001 00000001 0000000000000000")))


@given(uint32, uint32, uint32, uint32)
def test_trex_survives_a_round_trip(track_id: int, duration: int, size: int, flags: int) -> None:
    trex = Trex(track_id, SampleDefaults(duration, size, flags))
    box = bytearray()
    push_trex(box, trex)
    assert pull_trex(Reader(box[8:])) == trex


@st.composite
def truns(draw: st.DrawFn) -> Trun:
    present = draw(st.tuples(*[st.booleans()] * 4))
    values = [
        kind if there else st.none() for kind, there in zip((uint32, uint32, uint32, int32), present, strict=True)
    ]
    samples = draw(st.lists(st.builds(TrunSample, *values), min_size=1, max_size=20))
    return Trun(tuple(samples), draw(st.none() | int32), draw(maybe_uint32))


@given(truns())
def test_trun_survives_a_round_trip_whatever_it_describes(trun: Trun) -> None:
    box = bytearray()
    push_trun(box, trun)
    assert pull_trun(Reader(box[8:])) == trun


def test_composition_offsets_are_unsigned_in_version_0_and_signed_in_version_1() -> None:
    body = "000800 00000001 ffffffff"
    assert pull_trun(Reader(bytes.fromhex("00" + body))).samples[0].composition_offset_ticks == 2**32 - 1
    assert pull_trun(Reader(bytes.fromhex("01" + body))).samples[0].composition_offset_ticks == -1


@pytest.mark.parametrize("offset", [-(2**31) - 1, 2**31])
def test_an_offset_that_does_not_fit_is_bad_media(offset: int) -> None:
    with pytest.raises(MediaError, match="does not fit"):
        push_trun(bytearray(), Trun((TrunSample(1, 1, 0, offset),)))


@pytest.mark.parametrize("flags", ["000100", "000f01"])
def test_a_run_that_claims_more_samples_than_it_has_is_truncated(flags: str) -> None:
    with pytest.raises(Truncated):
        pull_trun(Reader(bytes.fromhex(f"00{flags} ffffffff 00000000")))


def test_a_run_of_billions_of_samples_without_a_description_is_refused() -> None:
    with pytest.raises(MediaError, match="describes none"):
        pull_trun(Reader(bytes.fromhex("00000000 ffffffff")))


@given(st.binary(max_size=64))
def test_any_bytes_are_a_run_or_bad_media(data: bytes) -> None:
    try:
        trun = pull_trun(Reader(data))
    except MediaError:
        return
    assert len(trun.samples) == int.from_bytes(data[4:8], "big")
