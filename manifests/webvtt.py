"""Text for players: WebVTT read with patience, written with care, cut into segments (W3C WebVTT; RFC 8216, 3.5)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from manifests.errors import MediaError

SEGMENT_MS = 60_000
"Length of the segments that a text track is cut into."

TIMESTAMP_MAP = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
"Cue times are media times as they stand: all our tracks begin at 0 (RFC 8216, 3.5)."


class Cue(NamedTuple):
    """One piece of text on the timeline."""

    start_ms: int
    end_ms: int
    text: str
    "Lines as in the file, with voice, class and other tags."
    identifier: str = ""
    settings: str = ""
    "For example `line:0 align:start`."


@dataclass(frozen=True, slots=True)
class WebVtt:
    """A whole file."""

    cues: tuple[Cue, ...]
    "In order of their starts."
    head: tuple[str, ...] = ()
    "`STYLE` and `REGION` blocks, each with its first line."


def parse_webvtt(data: bytes) -> WebVtt:
    """What a browser would make of a file: bad blocks are passed over, comments dropped.

    Raises MediaError if it is not WebVTT at all, or not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise MediaError(f"WebVTT is not UTF-8 at byte {problem.start}") from problem
    lines = text.replace("\0", "\N{REPLACEMENT CHARACTER}").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.match(r"WEBVTT(?![^ \t])", lines[0]):
        raise MediaError("file does not begin with WEBVTT")
    # What stands right under the first line is its header: metadata, or an X-TIMESTAMP-MAP to other media.
    header_end = next(
        (number for number, line in enumerate(lines) if number and (not line or "-->" in line)), len(lines)
    )
    head: list[str] = []
    cues: list[Cue] = []
    for block in _blocks(lines[header_end:]):
        if (cue := _cue(block)) is not None:
            cues.append(cue)
        elif not cues and re.fullmatch(r"(STYLE|REGION)[ \t]*", block[0]) and len(block) > 1:
            head.append("\n".join(block))
    return WebVtt(tuple(sorted(cues, key=lambda cue: cue.start_ms)), tuple(head))


def write_webvtt(document: WebVtt, header: Sequence[str] = ()) -> str:
    """header: lines right under the first, such as `X-TIMESTAMP-MAP`."""
    head = (block for block in map(_inner_lines, document.head) if "-->" not in block)
    blocks = ["\n".join(["WEBVTT", *header]), *head, *map(_cue_block, document.cues)]
    return "\n\n".join(blocks) + "\n"


def segment_cues(cues: Iterable[Cue], start_ms: int, end_ms: int) -> tuple[Cue, ...]:
    """The cues on show at any time from start up to end. One that spans several segments is whole in each of them;
    players know it again by its times and text (RFC 8216, 3.5)."""
    return tuple(cue for cue in cues if cue.start_ms < end_ms and cue.end_ms > start_ms)


def segment_document(document: WebVtt, start_ms: int, end_ms: int) -> str:
    """One HLS segment of a text track, empty of cues where nobody speaks."""
    cues = segment_cues(document.cues, start_ms, end_ms)
    return write_webvtt(WebVtt(cues, document.head), [TIMESTAMP_MAP])


def segment_durations_ms(duration_ms: int) -> tuple[int, ...]:
    """The grid of a text track as long as its title."""
    whole, rest = divmod(duration_ms, SEGMENT_MS)
    return (SEGMENT_MS,) * whole + ((rest,) if rest else ())


_TIME = r"(?:(\d{2,6}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"[ \t\f]*{_TIME}[ \t\f]*-->[ \t\f]*{_TIME}(?:[ \t\f]+(.*))?[ \t\f]*")


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines between empty ones. A line of times begins a block of its own even inside another."""
    block: list[str] = []
    for line in lines:
        if "-->" in line and any("-->" in earlier for earlier in block):
            yield block
            block = []
        if line:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _cue(block: list[str]) -> Cue | None:
    times = next((number for number, line in enumerate(block[:2]) if "-->" in line), None)
    match = _TIMING.fullmatch(block[times]) if times is not None else None
    if times is None or match is None:
        return None
    start_ms, end_ms = _milliseconds(match.groups()[:4]), _milliseconds(match.groups()[4:8])
    text = "\n".join(block[times + 1 :])
    if end_ms <= start_ms or not text.strip():  # never on show
        return None
    return Cue(start_ms, end_ms, text, block[0] if times else "", (match[9] or "").strip())


def _milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def _timestamp(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"


def _cue_block(cue: Cue) -> str:
    times = f"{_timestamp(cue.start_ms)} --> {_timestamp(cue.end_ms)}"
    identifier, settings = _one_line(cue.identifier), _one_line(cue.settings)
    # Shaka Player takes such a block for a comment or a style, whatever follows.
    lines = [identifier] if identifier and not re.match("NOTE|STYLE|REGION", identifier) else []
    lines.append(f"{times} {settings}" if settings else times)
    return "\n".join([*lines, _inner_lines(cue.text).replace("-->", "--&gt;")])


def _inner_lines(text: str) -> str:
    """Text that cannot end its block early: an empty line would."""
    unified = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line for line in unified.split("\n") if line)


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").replace("-->", "").split())
