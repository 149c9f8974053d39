"""What the headers of uploads say."""

import base64
import hashlib

import pytest

from streamer.errors import InvalidRequest
from streamer.studio.upload_headers import Checksum, parse_metadata, read_checksum, read_metadata, read_parts, read_size

TITLE = "t" * 22
A, B = "a" * 22, "-" * 22


def encoded(**pairs: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def test_metadata_are_keys_and_words_in_base64() -> None:
    header = encoded(filename="Schöne Filme.mkv", filetype="video/x-matroska") + ",is_confidential, last "
    pairs = {"filename": "Schöne Filme.mkv", "filetype": "video/x-matroska", "is_confidential": "", "last": ""}
    assert parse_metadata(header) == pairs
    assert parse_metadata("") == {}


@pytest.mark.parametrize("header", ["a b!", "a YQ== YQ==", "a YQ==,a YQ==", "ä YQ==", "a /w==", "a Y", "x" * 9000])
def test_malformed_metadata_are_refused(header: str) -> None:
    with pytest.raises(InvalidRequest, match="Upload-Metadata"):
        parse_metadata(header)


def test_what_is_missing_of_metadata_has_a_sentence() -> None:
    with pytest.raises(InvalidRequest, match="filename"):
        read_metadata(encoded(title_id=TITLE))
    with pytest.raises(InvalidRequest, match="title_id"):
        read_metadata(encoded(filename="film.mkv"))


@pytest.mark.parametrize(
    ("filename", "kept"), [("a/b/film.mkv", "film.mkv"), ("C:\\films\\film.mkv", "film.mkv"), (" f ", "f")]
)
def test_only_the_name_of_a_path_is_kept(filename: str, kept: str) -> None:
    assert read_metadata(encoded(filename=filename, title_id=TITLE)).filename == kept


@pytest.mark.parametrize("filename", ["", "/", "a\nb", "a\0b", "x" * 256])
def test_what_is_no_name_is_refused(filename: str) -> None:
    with pytest.raises(InvalidRequest, match="filename"):
        read_metadata(encoded(filename=filename, title_id=TITLE))


@pytest.mark.parametrize(
    ("filename", "expected"), [("f.srt", True), ("f.de.VTT", True), ("f.ass", True), ("f.mkv", False), ("srt", False)]
)
def test_subtitles_are_known_by_their_name(filename: str, expected: bool) -> None:
    assert read_metadata(encoded(filename=filename, title_id=TITLE)).is_subtitles == expected


@pytest.mark.parametrize(
    ("publish", "kept"),
    [
        ("", "manual"),
        ("manual", "manual"),
        ("auto", "auto"),
        ("2026-12-24T20:00:00Z", "2026-12-24T20:00:00+00:00"),
        ("2026-12-24T20:00:00+01:00", "2026-12-24T20:00:00+01:00"),
    ],
)
def test_publishing_is_automatic_manual_or_at_a_time(publish: str, kept: str) -> None:
    assert read_metadata(encoded(filename="f.mkv", title_id=TITLE, publish=publish)).publish == kept


@pytest.mark.parametrize("publish", ["soon", "2026-12-24", "2026-12-24T20:00:00", "AUTO"])
def test_any_other_time_is_refused(publish: str) -> None:
    with pytest.raises(InvalidRequest, match="publish"):
        read_metadata(encoded(filename="f.mkv", title_id=TITLE, publish=publish))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_checksum_is_an_algorithm_and_a_digest(algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"x").digest()
    header = f"{algorithm} {base64.b64encode(digest).decode()}"
    assert read_checksum(header) == Checksum(algorithm, digest)


@pytest.mark.parametrize("header", ["", "sha256", "sha256 !", "sha256 YQ==", "crc32 YQ==", "SHA1 YQ=="])
def test_any_other_checksum_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest, match="Upload-Checksum"):
        read_checksum(header)


def test_parts_are_named_by_addresses_with_or_without_a_host() -> None:
    assert read_parts(f"final;/u/{A} https://host:1/u/{B}", "/u") == [A, B]


@pytest.mark.parametrize("header", ["final;", f"final;/u/{A} /u/{A}", "final;/u/x", f"final;/other/{A}", f"final;{A}"])
def test_any_other_list_of_parts_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest, match="Upload-Concat"):
        read_parts(header, "/u")


def test_a_size_is_digits_and_nothing_else() -> None:
    assert read_size("0", "Upload-Offset") == 0
    assert read_size("999999999999999", "Upload-Offset") == 999999999999999
    for header in ("", "-1", "+1", "1.0", "1e3", " 1", "٣", "1" * 16):
        with pytest.raises(InvalidRequest, match="Upload-Offset must be a count of bytes"):
            read_size(header, "Upload-Offset")
