"""Text: streams inside an original and files beside it, all to WebVTT."""

import io
import re
from pathlib import Path

import pysubs2

from manifests.errors import MediaError
from manifests.webvtt import Cue, WebVtt, parse_webvtt
from transcoder.errors import Reason, Refused
from transcoder.ffmpeg import Node, foreign_input, output

MAX_TEXT_BYTES = 16 * 2**20
"A subtitle file larger than this is something else."

FORCED = re.compile(r"(^|[._ -])forced([._ -]|$)", re.IGNORECASE)


def text_output(stream: int, original: Path, job: Path) -> Node:
    """An ffmpeg-python node that writes one stream as `text.vtt` into the job's folder, with the source's own times."""
    source = foreign_input(original, threads=1, copyts=None)
    return output(source[str(stream)], job / "text.vtt", f="webvtt", scodec="webvtt")


def stream_cues(job: Path, start_s: float) -> WebVtt:
    """What `text_output` wrote, on the title's time.

    start_s: source time that is time 0 of the title.
    """
    document = parse_webvtt((job / "text.vtt").read_bytes())
    return WebVtt(_shifted(document.cues, -round(1000 * start_s)), document.head)


def sidecar_cues(file: Path) -> WebVtt:
    """A SubRip, SubStation or WebVTT file, told apart by its contents. Raises Refused."""
    if file.stat().st_size > MAX_TEXT_BYTES:
        raise Refused(Reason.NOT_MEDIA, f"The subtitle file is larger than {MAX_TEXT_BYTES // 2**20} MiB.")
    text = _decoded(file.read_bytes())
    try:
        if text.lstrip().startswith("WEBVTT"):
            return parse_webvtt(text.lstrip().encode())
        subtitles = pysubs2.SSAFile.from_string(text)
        return parse_webvtt(subtitles.to_string("vtt").encode())
    except (MediaError, pysubs2.exceptions.Pysubs2Error, ValueError, io.UnsupportedOperation) as error:
        raise Refused(Reason.NOT_MEDIA, "The subtitle file is neither SubRip, SubStation Alpha nor WebVTT.") from error


def _decoded(data: bytes) -> str:
    """UTF-8 or UTF-16 by its mark; else the Western code page that most old files are in."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _shifted(cues: tuple[Cue, ...], by_ms: int) -> tuple[Cue, ...]:
    moved = (cue._replace(start_ms=max(0, cue.start_ms + by_ms), end_ms=cue.end_ms + by_ms) for cue in cues)
    return tuple(cue for cue in moved if cue.end_ms > cue.start_ms)
