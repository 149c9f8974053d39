"""What the first and last bytes of a file say, before any program of others reads it.

Demuxers that follow playlists open other files and addresses, so a playlist must be known before FFmpeg guesses one;
all the rest gives people a better sentence than "invalid data".
"""

import codecs
import io
import re
from pathlib import Path
from typing import BinaryIO

from transcoder.encryption import is_encrypted, is_mp4
from transcoder.errors import Reason, Refused

HEAD_BYTES = 64 * 1024
CLEARLY_MISSING = 0.01
"Share of the stated size that must be missing: some writers count a little wrong."

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

PLAYLISTS = (
    (re.compile(r"#EXTM3U|#EXT-X-|#EXTINF:", re.IGNORECASE), "an HLS or M3U playlist"),
    (re.compile(r"(?:#[^\n]*\n\s*)*(?:ffconcat\s+version|(?:file|stream)\s+['\"\w./\\:-])"), "an FFmpeg concat list"),
    (re.compile(r"\[(?:playlist|reference)\]", re.IGNORECASE), "a PLS playlist"),
    (re.compile(r"v=0\s+o=|(?:[a-z]=[^\n]*\n\s*)+c=IN IP"), "a session description (SDP)"),
    (re.compile(r"(?:https?|rtsp|rtmps?|mms|ftp|file|udp|rtp|srt|tcp):", re.IGNORECASE), "a list of addresses"),
    (re.compile(r"<[^\0]*<(?:\w+:)?MPD[\s>]|<(?:\w+:)?MPD[\s>]"), "a DASH manifest"),
    (
        re.compile(
            r"<(?:[^\0]*<)?(?:\w+:)?"
            r"(?:smil|SmoothStreamingMedia|playlist|asx|CompositionPlaylist|AssetMap|PackingList)[\s>]",
            re.IGNORECASE,
        ),
        "an XML playlist",
    ),
)

NOT_MEDIA = (
    (re.compile(rb"\xff\xd8\xff"), "a JPEG picture"),
    (re.compile(rb"\x89PNG\r\n"), "a PNG picture"),
    (re.compile(rb"GIF8[79]a"), "a GIF picture"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "a WebP picture"),
    (re.compile(rb"II\*\0|MM\0\*"), "a TIFF picture"),
    (re.compile(rb"....ftyp(?:heic|heix|mif1|avif)", re.DOTALL), "a HEIF or AVIF picture"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive or an office document"),
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"Rar!\x1a|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ"), "a compressed archive"),
    (re.compile(rb"\x7fELF|MZ"), "a program"),
)


def sniff(path: Path) -> None:
    """Raise Refused for what is surely a playlist, no media, encrypted, or shorter than it says of itself."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if kind := playlist_kind(head):
            raise Refused(Reason.PLAYLIST, f"This is {kind}; send the film or song itself.")
        if not head:
            raise Refused(Reason.NOT_MEDIA, "The file is empty.")
        if kind := other_kind(head):
            raise Refused(Reason.NOT_MEDIA, f"This is {kind}, not a film or song.")
        if is_encrypted(file, head):
            raise Refused(Reason.ENCRYPTED, "The file is encrypted; send one without copy protection.")
        if shortfall := ends_early(file, head):
            raise Refused(Reason.TRUNCATED, f"The end is missing: {shortfall}.")


def begins_as_mp4(path: Path) -> bool:
    with path.open("rb") as file:
        return is_mp4(file.read(8))


def playlist_kind(head: bytes) -> str | None:
    text = _text(head)
    return next((kind for pattern, kind in PLAYLISTS if pattern.match(text)), None)


def other_kind(head: bytes) -> str | None:
    for pattern, kind in NOT_MEDIA:
        if pattern.match(head):
            return kind
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # a letter may be cut at the end of the head
    except UnicodeDecodeError:
        return None
    return "text" if head and not re.search(r"[\0-\x08\x0e-\x1a\x7f]", text) else None


def ends_early(file: BinaryIO, head: bytes) -> str:
    """How a RIFF, Ogg or MP3 file is shorter than it says; empty: it is not, or does not say."""
    size = file.seek(0, io.SEEK_END)
    if head[:4] == b"OggS":
        file.seek(max(0, size - 2 * 2**16))
        return "the last page of the Ogg file is cut" if _ends_inside_page(file.read()) else ""
    stated = _riff_size(head) or _mp3_size(file, head)
    if stated and stated - size > CLEARLY_MISSING * stated:
        return f"the file says that it has {stated} bytes, and has {size}"
    return ""


def _text(head: bytes) -> str:
    """The beginning read as text, without what readers of playlists skip."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace").lstrip("\0\ufeff \t\r\n\f\v")
    return head.decode("latin-1").lstrip("\0 \t\r\n\f\v")


def _riff_size(head: bytes) -> int:
    if head[:4] != b"RIFF" or head[8:12] not in (b"WAVE", b"AVI "):
        return 0
    size = int.from_bytes(head[4:8], "little")
    return 0 if size >= 0xFFFFFF00 else size + 8  # who writes to a pipe cannot know the size


def _mp3_size(file: BinaryIO, head: bytes) -> int:
    """End of the sound as the Xing or Info header states it; a file without one states nothing."""
    start = 0
    if head[:3] == b"ID3":
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
    file.seek(start)
    frame = file.read(256)
    found = re.match(rb"\xff[\xe2-\xff].{7,40}?(?:Xing|Info)\0\0\0(.)(.{8})", frame, re.DOTALL)
    if found is None or found[1][0] & 3 != 3:
        return 0
    return start + int.from_bytes(found[2][4:], "big")


def _ends_inside_page(tail: bytes) -> bool:
    """Whether the last Ogg page (RFC 3533, 6) is longer than what is left."""
    start = tail.rfind(b"OggS")
    if start < 0 or len(tail) < start + 27:
        return True
    lacing = tail[start + 27 : start + 27 + tail[start + 26]]
    return len(lacing) < tail[start + 26] or start + 27 + len(lacing) + sum(lacing) > len(tail)
