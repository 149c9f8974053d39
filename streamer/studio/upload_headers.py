"""What the headers of a resumable upload say (tus 1.0.0, https://tus.io/protocols/resumable-upload)."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from streamer.errors import InvalidRequest
from streamer.studio.ledger import AUTOMATIC, MANUAL

CHECKSUMS = ("sha256", "sha1", "md5")
LONGEST_METADATA = 8192
LONGEST_FILENAME = 255
MOST_PARTS = 64
SUBTITLE_SUFFIXES = {".srt", ".vtt", ".ass", ".ssa"}

_PAIR = re.compile(r"([!-+\--~]+)(?: ([A-Za-z0-9+/]*={0,2}))?")


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request must give (tus 1.0.0, checksum extension)."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class UploadMetadata:
    """What we read of `Upload-Metadata`; other keys are the client's own business."""

    filename: str
    title_id: str
    publish: str
    "`auto`, `manual` or an RFC 3339 time."

    @property
    def is_subtitles(self) -> bool:
        return PurePosixPath(self.filename).suffix.lower() in SUBTITLE_SUFFIXES


def parse_metadata(header: str) -> dict[str, str]:
    """Pairs of a key and a word in base64. Raises InvalidRequest."""
    if len(header) > LONGEST_METADATA:
        raise InvalidRequest(f"Upload-Metadata is longer than {LONGEST_METADATA} bytes")
    pairs: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        found = _PAIR.fullmatch(pair)
        if not found or found[1] in pairs:
            raise InvalidRequest(f"Upload-Metadata: {pair[:80]!r} is not a new key and a value in base64")
        try:
            pairs[found[1]] = base64.b64decode(found[2] or "", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidRequest(f"Upload-Metadata: the value of {found[1][:80]} is not UTF-8 in base64") from error
    return pairs


def read_metadata(header: str) -> UploadMetadata:
    """Raises InvalidRequest."""
    pairs = parse_metadata(header)
    filename = pairs.get("filename", "").replace("\\", "/").rpartition("/")[2].strip()
    if not filename.isprintable() or not 0 < len(filename) <= LONGEST_FILENAME:
        raise InvalidRequest(f"Upload-Metadata: filename must be a name of 1 to {LONGEST_FILENAME} characters")
    if not pairs.get("title_id"):
        raise InvalidRequest("Upload-Metadata: title_id is missing; create the title first")
    return UploadMetadata(filename, pairs["title_id"], _publish(pairs.get("publish") or MANUAL))


def read_checksum(header: str) -> Checksum:
    """Raises InvalidRequest."""
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise InvalidRequest(f"Upload-Checksum: {algorithm[:40]!r} is not one of {', '.join(CHECKSUMS)}")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise InvalidRequest("Upload-Checksum: the digest is not in base64") from error
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise InvalidRequest(f"Upload-Checksum: {len(digest)} bytes cannot be a digest by {algorithm}")
    return Checksum(algorithm, digest)


def read_parts(header: str, folder: str) -> list[str]:
    """The ids in `final;` and the addresses of partial uploads, relative or absolute. Raises InvalidRequest.

    folder: what stands before the id in the path of each address.
    """
    addresses = header.removeprefix("final;").split()
    if not 0 < len(addresses) <= MOST_PARTS:
        raise InvalidRequest(f"Upload-Concat: name 1 to {MOST_PARTS} partial uploads")
    found = [re.fullmatch(rf"(?:https?://[^/]+)?{re.escape(folder)}/([A-Za-z0-9_-]{{22}})", each) for each in addresses]
    ids = [each[1] for each in found if each]
    if len(set(ids)) != len(addresses):
        raise InvalidRequest("Upload-Concat: each address must be that of another partial upload")
    return ids


def read_size(header: str, name: str) -> int:
    """A count of bytes. Raises InvalidRequest."""
    if not re.fullmatch(r"[0-9]{1,15}", header):
        raise InvalidRequest(f"{name} must be a count of bytes")
    return int(header)


def _publish(word: str) -> str:
    if word in (AUTOMATIC, MANUAL):
        return word
    try:
        time = datetime.fromisoformat(word)
    except ValueError as error:
        raise InvalidRequest("Upload-Metadata: publish must be auto, manual or an RFC 3339 time") from error
    if time.tzinfo is None:
        raise InvalidRequest("Upload-Metadata: the time of publish has no zone")
    return time.isoformat()
