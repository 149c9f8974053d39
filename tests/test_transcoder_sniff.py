import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake_helpers import cut, make_film, make_song
from transcoder.errors import Reason, Refused
from transcoder.sniff import HEAD_BYTES, other_kind, playlist_kind, sniff

PLAYLISTS = {
    "HLS": "#EXTM3U\n#EXTINF:4,\n/etc/passwd\n",
    "M3U without its first line": "#EXTINF:4,song\nsong.mp3\n",
    "concat": "ffconcat version 1.0\nfile '/etc/passwd'\n",
    "concat without its first line": "file '/etc/passwd'\n",
    "concat behind a comment": "# my films\n\n  # two\nfile a.mp4\n",
    "DASH": '<?xml version="1.0"?>\n<!-- made by -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
    "DASH with a prefix": '<d:MPD xmlns:d="urn:mpeg:dash:schema:mpd:2011">',
    "Smooth Streaming": '<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2">',
    "SMIL": '<smil xmlns="http://www.w3.org/2001/SMIL20/Language">',
    "XSPF": '<?xml version="1.0"?><playlist version="1">',
    "ASX": "<ASX version='3.0'>",
    "IMF": "<CompositionPlaylist >",
    "PLS": "[playlist]\nFile1=song.mp3\n",
    "old ASX": "[Reference]\nRef1=http://example.org/a\n",
    "SDP": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    "short SDP": "m=video 5004 RTP/AVP 96\nc=IN IP4 127.0.0.1\n",
    "addresses": "https://example.org/film.mp4\n",
}

OTHERS = {
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": b"GIF89a",
    "WebP": b"RIFF\x24\0\0\0WEBPVP8 ",
    "HEIF": b"\0\0\0\x18ftypheic",
    "ZIP": b"PK\x03\x04\x14\0",
    "PDF": b"%PDF-1.7",
    "program": b"\x7fELF\x02",
    "text": "Once upon a time in Málaga.".encode(),
}

MEDIA_HEADS = (
    b"\0\0\0\x20ftypisom",
    b"\x1a\x45\xdf\xa3",
    b"ID3\x04\0",
    b"\xff\xfb\x90\x64",
    b"fLaC\0\0\0\x22",
    b"OggS\0\x02",
    b"\0\0\x01\xba",
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"\xff\xf1\x50\x80",
)


def refusal(path: Path) -> Refused:
    with pytest.raises(Refused) as refused:
        sniff(path)
    return refused.value


@pytest.mark.parametrize("text", PLAYLISTS.values(), ids=PLAYLISTS)
def test_a_playlist_is_known_whatever_its_name(text: str, tmp_path: Path) -> None:
    disguised = tmp_path / "film.mp4"
    disguised.write_text(text)
    assert refusal(disguised).reason == Reason.PLAYLIST


@given(
    text=st.sampled_from(list(PLAYLISTS.values())),
    space=st.text(" \t\r\n\f\v", max_size=50),
    mark=st.sampled_from([b"", codecs.BOM_UTF8]),
    rest=st.binary(max_size=200),
)
def test_marks_and_spaces_do_not_hide_a_playlist(text: str, space: str, mark: bytes, rest: bytes) -> None:
    assert playlist_kind(mark + (space + text).encode() + rest)


@given(st.sampled_from(list(PLAYLISTS.values())), st.sampled_from(["utf-16", "utf-8-sig"]), st.text(" \n", max_size=9))
def test_no_encoding_hides_a_playlist(text: str, encoding: str, space: str) -> None:
    assert playlist_kind((space + text).encode(encoding))


@given(st.sampled_from(MEDIA_HEADS), st.binary(max_size=500))
def test_what_begins_like_media_is_left_to_ffprobe(head: bytes, rest: bytes) -> None:
    assert playlist_kind(head + rest) is None
    assert other_kind(head + rest) is None


@given(st.binary(max_size=2000))
def test_any_bytes_get_an_answer(head: bytes) -> None:
    playlist_kind(head)
    other_kind(head)


@pytest.mark.parametrize("line", ["#" + " " * 30, "a= \t ", "<", "<a:", "# #\n"])
def test_no_text_makes_the_search_slow(line: str) -> None:
    head = ((line + "\n") * HEAD_BYTES)[:HEAD_BYTES].encode()
    assert playlist_kind(head) is None  # a pattern that backtracks would not end before the test's time does


@pytest.mark.parametrize("head", OTHERS.values(), ids=OTHERS)
def test_what_people_send_by_mistake_is_named(head: bytes, tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    file.write_bytes(head)
    refused = refusal(file)
    assert refused.reason == Reason.NOT_MEDIA
    assert refused.sentence.startswith("This is ")


def test_a_letter_cut_in_two_does_not_hide_text() -> None:
    assert other_kind("ä".encode() * 10 + b"\xc3") == "text"


def test_an_empty_file_is_no_media(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert refusal(tmp_path / "empty").sentence == "The file is empty."


@pytest.mark.parametrize("name", ["song.wav", "song.mp3", "song.ogg", "song.opus", "film.avi"])
def test_a_file_shorter_than_it_says_is_truncated(name: str, tmp_path: Path) -> None:
    make = make_film if name.startswith("film") else make_song
    whole = make(tmp_path / name, "-c:v", "mpeg4") if name.startswith("film") else make(tmp_path / name)
    sniff(whole)
    refused = refusal(cut(whole, tmp_path / f"cut-{name}"))
    assert refused.reason == Reason.TRUNCATED


def test_a_long_picture_before_the_sound_does_not_hide_its_end(tmp_path: Path) -> None:
    song = make_song(tmp_path / "song.mp3", "-id3v2_version", "0").read_bytes()
    size = 300_000
    tag = b"ID3\x04\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)
    (tmp_path / "whole.mp3").write_bytes(tag + song)
    sniff(tmp_path / "whole.mp3")
    assert refusal(cut(tmp_path / "whole.mp3", tmp_path / "cut.mp3", share=0.95)).reason == Reason.TRUNCATED


def test_a_sound_file_that_came_through_a_pipe_may_not_know_its_size(tmp_path: Path) -> None:
    song = bytearray(make_song(tmp_path / "song.wav").read_bytes())
    song[4:8] = b"\xff\xff\xff\xff"
    (tmp_path / "piped.wav").write_bytes(song)
    sniff(tmp_path / "piped.wav")
