"""Why an original is refused: from ffprobe's words, and from what it found in the file."""

import re
import signal
from collections.abc import Mapping
from typing import Any

from config.settings import IntakeSettings
from transcoder.errors import FfmpegFailed, OutOfRoom, Reason, Refused, TranscodeError
from transcoder.packets import PacketCounter
from transcoder.streams import Chosen

LEAST_PROBE_SCORE = 25
"FFmpeg finds MP3 in any noise, with a score of 1; MPEG program streams have 26."
RATE_SLACK = 1.005

UNLISTED_FORMAT = re.compile(r"\[([^\]\s]+)\] Format not on whitelist")
UNLISTED_CODEC = re.compile(r"Codec \((\w+)\) not on whitelist")
LARGE_PICTURE = re.compile(r"[Pp]icture size (\d+x\d+) (?:is invalid|exceeds)")
CUT = re.compile(r"partial file|ended prematurely|moov atom not found", re.IGNORECASE)
PLAYLIST_DEMUXER = re.compile(r"hls|applehttp|dash|concat|imf|sdp|sap|webm_dash_manifest")
OTHER_DEMUXER = re.compile(r"image2|\w+_pipe|tty|srt|ass|webvtt|gif|apng")

# Containers that state their duration; others are only estimated by FFmpeg, from their first bit rate.
STATES_DURATION = re.compile(r"mov|matroska|flac")
LEAST_MISSING_S = 0.25
LEAST_MISSING_UNTOLD_S = 1.0
"Where the demuxer has not complained: durations in headers are sloppy."
LEAST_MISSING_UNTOLD = 0.02


def tells_of_cut(line: str) -> bool:
    return bool(CUT.search(line))


def refusal_from(error: FfmpegFailed, settings: IntakeSettings, *, is_mp4: bool) -> TranscodeError:
    """What ffprobe's end means for the original; the error itself where the fault may be ours.

    is_mp4: by the file's first bytes; FFmpeg believes names, and then misses a `moov` in any noise called `.mp4`.
    """
    words = error.last_words
    if error.exit_status in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGBUS, -signal.SIGILL):
        return Refused(Reason.DAMAGED, "The file is damaged in a way that ends the program which looks at it.")
    if isinstance(error, OutOfRoom) or error.exit_status != 1:
        return error
    if found := UNLISTED_FORMAT.search(words):
        return _unlisted_format(found[1])
    if found := UNLISTED_CODEC.search(words):
        return Refused(Reason.UNSUPPORTED_CODEC, f"A stream is coded as {found[1]}, which is not supported.")
    if found := LARGE_PICTURE.search(words):
        return Refused(Reason.TOO_LARGE, f"The pictures have {found[1]} pixels; we take {settings.max_pixels}.")
    if "max_streams" in words:
        return Refused(Reason.TOO_MANY_STREAMS, f"There are more than {settings.max_streams} streams in the file.")
    if "Cannot allocate memory" in words:
        megabytes = settings.probe_memory_bytes // 2**20
        return Refused(Reason.TOO_LARGE, f"Looking at the file takes more than {megabytes} MiB of memory.")
    if CUT.search(words) and (is_mp4 or "moov" not in words):
        return Refused(Reason.TRUNCATED, "The end is missing, and with it what is needed to read the rest.")
    return Refused(Reason.NOT_MEDIA, "The file is no film or song that we can read.")


def _unlisted_format(demuxer: str) -> Refused:
    names = demuxer.split(",")
    if any(PLAYLIST_DEMUXER.fullmatch(name) for name in names):
        return Refused(Reason.PLAYLIST, f"This is a playlist ({names[0]}); send the film or song itself.")
    if any(OTHER_DEMUXER.fullmatch(name) for name in names):
        return Refused(Reason.NOT_MEDIA, f"This is a picture or text ({names[0]}), not a film or song.")
    return Refused(Reason.UNSUPPORTED_CONTAINER, f"Files of the kind {names[0]} are not supported.")


def check_sizes(found: Mapping[str, Any], settings: IntakeSettings) -> None:
    """Raise Refused for what the headers alone rule out.

    found: ffprobe's description.
    """
    container, streams = found["format"], found["streams"]
    if int(container.get("probe_score", 100)) < LEAST_PROBE_SCORE:
        raise Refused(Reason.NOT_MEDIA, "The file is no film or song that we can read.")
    if len(streams) > settings.max_streams:
        raise Refused(
            Reason.TOO_MANY_STREAMS, f"There are {len(streams)} streams in the file; we take {settings.max_streams}."
        )
    for stream in streams:
        width, height = int(stream.get("width") or 0), int(stream.get("height") or 0)
        if width * height > settings.max_pixels:
            raise Refused(
                Reason.TOO_LARGE, f"The pictures have {width}x{height} pixels; we take {settings.max_pixels}."
            )
    _check_duration(_seconds(container.get("duration")), settings)


def check_counts(chosen: Chosen, counter: PacketCounter, settings: IntakeSettings) -> None:
    """Raise Refused for what the packets rule out."""
    video = counter.video
    if chosen.video is not None and not video.shown_count:
        raise Refused(Reason.NOTHING_PLAYABLE, "There is not a single picture in the file.")
    if chosen.video is None and not any(counter.of(stream).shown_count for stream in chosen.audio):
        raise Refused(Reason.NOTHING_PLAYABLE, "There is no sound in the file.")
    if chosen.video is not None and video.rate_hz > settings.max_frame_rate * RATE_SLACK:
        raise Refused(
            Reason.ABSURD_RATE,
            f"There are {video.rate_hz:.6g} pictures per second; we take {settings.max_frame_rate:g}.",
        )
    _check_duration(counter.span_s, settings)


def _check_duration(duration_s: float, settings: IntakeSettings) -> None:
    if duration_s > settings.max_duration_s:
        raise Refused(Reason.TOO_LONG, f"The file is {duration_s:.0f} s long; we take {settings.max_duration_s:.0f} s.")


def check_whole(container: Mapping[str, Any], span_s: float, cut: bool) -> str:
    """Raise Refused if clearly less is there than the container states; else a note, if any.

    span_s: what the packets hold. cut: the demuxer complained of the file's end.
    """
    stated_s = _seconds(container.get("duration"))
    if not STATES_DURATION.match(str(container.get("format_name"))):
        stated_s = 0.0
    least_s = LEAST_MISSING_S if cut else max(LEAST_MISSING_UNTOLD_S, LEAST_MISSING_UNTOLD * stated_s)
    if stated_s - span_s > least_s:
        raise Refused(
            Reason.TRUNCATED,
            f"The end is missing: the file says that it is {stated_s:.1f} s long, and has {span_s:.1f} s.",
        )
    return "The end of the file is damaged; a little may be missing there." if cut else ""


def _seconds(stated: object) -> float:
    try:
        return float(str(stated))
    except ValueError:  # `N/A`, or nothing
        return 0.0
