"""Whether a file is encrypted. FFmpeg does not say: without keys it decodes noise."""

import io
import re
from typing import BinaryIO

from manifests.errors import MediaError
from manifests.isobmff import Reader

TS_PACKET_BYTES = 188
TS_NULL_PACKET = b"\x1f\xff"
MOST_MOOV_BYTES = 64 * 2**20
MOST_BOXES = 10_000

# Protected sample entries (ISO/IEC 14496-12, 8.12; ISO/IEC 23001-7), and those of iTunes.
PROTECTED_ENTRIES = frozenset({b"encv", b"enca", b"encs", b"enct", b"drms", b"drmi"})

# ContentEncodings, ContentEncoding, ContentEncryption, ContentEncAlgo (RFC 9559, 5.1.4.1.31).
MATROSKA_HEAD = b"\x1a\x45\xdf\xa3"
MATROSKA_ENCRYPTION = re.compile(rb"\x6d\x80.{1,8}?\x62\x40.{1,64}?\x50\x35.{1,8}?\x47\xe1", re.DOTALL)


def is_encrypted(file: BinaryIO, head: bytes) -> bool:
    """head: the first bytes of the file, some ten thousand."""
    if head.startswith(MATROSKA_HEAD):
        return MATROSKA_ENCRYPTION.search(head) is not None
    return is_scrambled(head) or (is_mp4(head) and _has_protected_entries(_movie_box(file)))


def is_mp4(head: bytes) -> bool:
    """Whether the first box is one that MP4 and QuickTime files begin with."""
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"wide", b"free", b"skip", b"pnot")


def is_scrambled(head: bytes) -> bool:
    """Whether most packets of a transport stream are scrambled (ISO/IEC 13818-1, 2.4.3.3)."""
    packets = [head[start : start + 4] for start in range(0, len(head) - 3, TS_PACKET_BYTES)]
    if len(packets) < 4 or any(packet[0] != 0x47 for packet in packets):
        return False
    with_payload = [packet for packet in packets if packet[3] & 0x10 and packet[1:3] != TS_NULL_PACKET]
    return sum(bool(packet[3] & 0x80) for packet in with_payload) * 2 > len(with_payload)


def _movie_box(file: BinaryIO) -> bytes:
    """The body of `moov`; empty where there is none to be read."""
    end, start = file.seek(0, io.SEEK_END), 0
    for _ in range(MOST_BOXES):
        file.seek(start)
        header = file.read(16)
        size = int.from_bytes(header[:4], "big")
        body = 8
        if size == 1:
            size, body = int.from_bytes(header[8:16], "big"), 16
        if size < body or start + size > end:
            return b""
        if header[4:8] == b"moov":
            file.seek(start + body)
            return file.read(size - body) if size <= MOST_MOOV_BYTES else b""
        start += size
    return b""


def _has_protected_entries(moov: bytes) -> bool:
    try:
        for track in (box.body for box in Reader(moov).boxes() if box.type == b"trak"):
            entries = track.find(b"mdia", b"minf", b"stbl", b"stsd")
            if entries is not None:
                entries.pull_bytes(8)  # version, flags, count
                if any(entry.type in PROTECTED_ENTRIES for entry in entries.boxes()):
                    return True
    except MediaError:
        return False  # ffprobe says what is wrong
    return False
