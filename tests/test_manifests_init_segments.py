import io
from dataclasses import replace

import av
import pytest

from manifests.errors import MediaError, Unsupported
from manifests.fragments import pull_source_header
from manifests.index import Kind
from manifests.init_segments import InitHeader, init_segment, plain_sample_entry
from manifests.isobmff import Reader
from manifests.movie_boxes import pull_mdhd
from tests.manifests_helpers import PICTURES, X264, audio_file, ffmpeg_file, read_fragments, video_file


def video_header() -> InitHeader:
    header, _ = read_fragments(video_file())
    return InitHeader(
        kind=Kind.VIDEO,
        timescale=header.timescale,
        sample_entry=header.sample_entry,
        width=header.width,
        height=header.height,
        edit_media_time_ticks=7200,
    )


def audio_header() -> InitHeader:
    header, _ = read_fragments(audio_file())
    return InitHeader(kind=Kind.AUDIO, timescale=48_000, sample_entry=header.sample_entry, edit_media_time_ticks=1024)


@pytest.mark.parametrize("header", [video_header(), audio_header()], ids=["video", "audio"])
def test_what_is_written_is_read_back(header: InitHeader) -> None:
    read = pull_source_header(Reader(init_segment(header)).child(b"moov"))
    assert (read.timescale, read.width, read.height) == (header.timescale, header.width, header.height)
    assert read.media_time_ticks == header.edit_media_time_ticks
    assert read.sample_entry == plain_sample_entry(header.sample_entry)


@pytest.mark.parametrize("header", [video_header(), audio_header()], ids=["video", "audio"])
def test_ffmpeg_understands_it(header: InitHeader) -> None:
    with av.open(io.BytesIO(init_segment(replace(header, language="de")))) as container:
        (stream,) = container.streams
        assert stream.type == header.kind
        assert stream.language == "deu"
        assert stream.time_base is not None
        assert stream.time_base.denominator == header.timescale


def test_it_is_a_cmaf_header() -> None:
    boxes = {box.type: box.body for box in Reader(init_segment(video_header())).boxes()}
    assert list(boxes) == [b"ftyp", b"moov"]
    assert boxes[b"ftyp"].pull_bytes(20) == b"iso6" + bytes(4) + b"iso6cmfcdash"
    assert [box.type for box in boxes[b"moov"].boxes()] == [b"mvhd", b"trak", b"mvex"]


def test_no_edit_list_is_written_where_there_is_nothing_to_cut() -> None:
    init = init_segment(replace(audio_header(), edit_media_time_ticks=0))
    assert Reader(init).find(b"moov", b"trak", b"edts") is None


@pytest.mark.parametrize(
    ("language", "packed", "extended"),
    [("en", "eng", b"en\0"), ("pt-BR", "por", b"pt-BR\0"), ("gsw", "gsw", b"gsw\0"), ("und", "und", None)],
)
def test_the_language_stands_in_full_beside_its_three_letters(
    language: str, packed: str, extended: bytes | None
) -> None:
    media = Reader(init_segment(replace(audio_header(), language=language))).child(b"moov", b"trak", b"mdia")
    assert pull_mdhd(media.child(b"mdhd")).language == packed
    elng = media.find(b"elng")
    assert (elng.pull_bytes(elng.remaining)[4:] if elng else None) == extended


def test_two_encodes_of_one_kind_have_the_same_init_segment() -> None:
    """At other bit rates, which `btrt` declares, and by an encoder that signs its name."""
    one, _ = read_fragments(ffmpeg_file(*PICTURES, *X264, "-crf", "30"))
    two, _ = read_fragments(
        ffmpeg_file(*PICTURES, *X264, "-flags", "+cgop", "-crf", "30", "-maxrate", "1M", "-bufsize", "1M")
    )
    assert one.sample_entry != two.sample_entry
    entry = plain_sample_entry(one.sample_entry)
    assert b"btrt" not in entry
    assert b"Lavc" not in entry
    assert b"avcC" in entry
    assert b"pasp" in entry


def test_text_has_no_init_segment() -> None:
    with pytest.raises(Unsupported, match="text has no init segment"):
        init_segment(replace(video_header(), kind=Kind.TEXT))


@pytest.mark.parametrize(("entry", "message"), [(b"", "empty"), (bytes.fromhex("00000008 77767474"), "'wvtt'")])
def test_other_sample_entries_are_refused(entry: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        plain_sample_entry(entry)
