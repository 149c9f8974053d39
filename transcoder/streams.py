"""From what ffprobe says of the streams to what we make of them: taken, left out with a note, or refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from manifests.languages import language_tag
from transcoder.errors import Reason, Refused
from transcoder.original import AudioStream, SubtitleStream, Tags, VideoStream
from transcoder.packets import StreamCount, constant_rate

Stream = Mapping[str, Any]

# Codecs as ffprobe names them; their decoders are in transcoder.ffmpeg.
VIDEO_CODECS = frozenset("h264 hevc av1 vp8 vp9 mpeg1video mpeg2video mpeg4 mjpeg png prores".split())
AUDIO_CODECS = frozenset("aac ac3 eac3 mp1 mp2 mp3 flac alac opus vorbis dts truehd".split())
TEXT_CODECS = frozenset("subrip ass ssa webvtt mov_text text".split())
COVER_CODECS = frozenset("mjpeg png".split())

LOWEST_SAMPLE_RATE, HIGHEST_SAMPLE_RATE = 4000, 768000
LONGEST_TEXT = 500
COMMENTARY = re.compile(r"comment", re.IGNORECASE)
DESCRIPTION = re.compile(r"audio.?descri|descripti|narrat", re.IGNORECASE)
FORCED = re.compile(r"\bforced\b", re.IGNORECASE)
CAPTION = re.compile(r"\b(sdh|cc|captions?|hearing)\b", re.IGNORECASE)
TAG_NAMES = {"tracknumber": "track", "albumartist": "album_artist", "album artist": "album_artist", "year": "date"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The streams that a title is made of, and why not others."""

    video: Stream | None
    audio: tuple[Stream, ...]
    subtitles: tuple[Stream, ...]
    cover: Stream | None
    notes: tuple[str, ...]


def choose(streams: Sequence[Stream]) -> Chosen:
    """Raises Refused where nothing is left to play, or too little."""
    pictures = [stream for stream in _of_type(streams, "video") if not _disposed(stream, "attached_pic")]
    sounds = _of_type(streams, "audio")
    video, audio = _supported(pictures, VIDEO_CODECS), _supported(sounds, _AudioCodecs())
    for wanted, found, kind in ((pictures, video, "pictures"), (sounds, audio, "sound")):
        if wanted and not found:
            name = wanted[0].get("codec_name") or wanted[0].get("codec_tag_string") or "in an unknown way"
            raise Refused(Reason.UNSUPPORTED_CODEC, f"The {kind} are coded as {name}, which is not supported.")
    if not video and not audio:
        raise Refused(Reason.NOTHING_PLAYABLE, "There are neither pictures nor sound in the file.")
    video.sort(key=lambda stream: not _disposed(stream, "default"))  # stable: else the first
    text = _supported(_of_type(streams, "subtitle"), TEXT_CODECS)
    covers = [stream for stream in _of_type(streams, "video") if _disposed(stream, "attached_pic")]
    covers = _supported(covers, COVER_CODECS)
    taken = [*video[:1], *audio, *text, *covers[:1]]
    return Chosen(
        video=video[0] if video else None,
        audio=tuple(audio),
        subtitles=tuple(text),
        cover=covers[0] if covers else None,
        notes=tuple(_left_out(stream) for stream in streams if not any(stream is one for one in taken)),
    )


def video_stream(stream: Stream, count: StreamCount, frames: Sequence[Mapping[str, Any]]) -> VideoStream:
    """frames: the first pictures as ffprobe decoded them; they know better than the container, but may be missing."""
    seen = frames[0] if frames else {}
    pixel_format = _text(seen, "pix_fmt") or _text(stream, "pix_fmt")
    return VideoStream(
        index=int(stream["index"]),
        codec=_text(stream, "codec_name"),
        width=int(stream.get("width") or 0),
        height=int(stream.get("height") or 0),
        pixel_aspect=_pixel_aspect(_text(stream, "sample_aspect_ratio") or _text(seen, "sample_aspect_ratio")),
        rotation=_rotation(stream),
        frame_rate=constant_rate(_fraction(_text(stream, "r_frame_rate")), count.rate_hz),
        measured_rate_hz=count.rate_hz,
        is_variable_rate=count.is_variable_rate,
        frame_count=count.shown_count,
        start_s=count.start_s or 0.0,
        duration_s=count.duration_s,
        is_interlaced=_is_interlaced(stream, frames),
        field_order=_field_order(stream, frames),
        pixel_format=pixel_format,
        bit_depth=_bit_depth(pixel_format),
        color_transfer=_text(seen, "color_transfer") or _text(stream, "color_transfer"),
        color_primaries=_text(seen, "color_primaries") or _text(stream, "color_primaries"),
        color_matrix=_text(seen, "color_space") or _text(stream, "color_space"),
        keyframes_s=tuple(count.keyframes_s),
    )


def audio_stream(stream: Stream, count: StreamCount) -> AudioStream:
    sample_rate = int(_number(stream.get("sample_rate")))
    if not LOWEST_SAMPLE_RATE <= sample_rate <= HIGHEST_SAMPLE_RATE:
        raise Refused(Reason.ABSURD_RATE, f"The sound has {sample_rate} samples per second.")
    title = _tag(stream, "title")
    # Packets begin before that where a codec needs some samples to get going, which are not heard.
    start_s = _number(stream.get("start_time", count.start_s))
    return AudioStream(
        index=int(stream["index"]),
        codec=_text(stream, "codec_name"),
        channels=int(stream.get("channels") or 0),
        sample_rate=sample_rate,
        language=language_tag(_tag(stream, "language")),
        role=_audio_role(stream, title),
        title=title,
        is_default=_disposed(stream, "default"),
        start_s=start_s,
        duration_s=max(0.0, (count.end_s or 0.0) - start_s),
    )


def subtitle_stream(stream: Stream) -> SubtitleStream:
    title = _tag(stream, "title")
    return SubtitleStream(
        index=int(stream["index"]),
        codec=_text(stream, "codec_name"),
        language=language_tag(_tag(stream, "language")),
        role=_subtitle_role(stream, title),
        title=title,
        is_default=_disposed(stream, "default"),
    )


def tags_of(container: Mapping[str, Any], audio: Sequence[Stream]) -> Tags:
    """Ogg keeps the tags of a song in its stream, others in the container."""
    wanted = {field.name for field in fields(Tags)}
    found: dict[str, str] = {}
    for holder in (*audio[:1], container) if audio else (container,):
        for key, value in (holder.get("tags") or {}).items():
            name = TAG_NAMES.get(key.lower(), key.lower())
            if name in wanted and (holder is container or not _names_the_stream(name, container)):
                found[name] = _clean(value)
    return Tags(**found)


def _names_the_stream(name: str, container: Mapping[str, Any]) -> bool:
    """A film's sound has a title of its own; only in Ogg is it the song's."""
    return name == "title" and "ogg" not in str(container.get("format_name"))


class _AudioCodecs(frozenset[str]):
    """The named ones, and PCM, which has a codec for each layout of its bytes."""

    def __contains__(self, codec: object) -> bool:
        return codec in AUDIO_CODECS or str(codec).startswith(("pcm_s", "pcm_u", "pcm_f"))


def _of_type(streams: Sequence[Stream], kind: str) -> list[Stream]:
    return [stream for stream in streams if stream.get("codec_type") == kind]


def _supported(streams: Sequence[Stream], codecs: frozenset[str]) -> list[Stream]:
    return [stream for stream in streams if stream.get("codec_name") in codecs]


def _left_out(stream: Stream) -> str:
    kind = {"video": "pictures", "audio": "sound", "subtitle": "subtitles"}.get(
        _text(stream, "codec_type"), _text(stream, "codec_type") or "unknown data"
    )
    codec = _text(stream, "codec_name") or _text(stream, "codec_tag_string") or "unknown"
    return f"Stream {stream.get('index')} is left out: {kind} coded as {codec}."


def _disposed(stream: Stream, name: str) -> bool:
    return bool((stream.get("disposition") or {}).get(name))


def _audio_role(stream: Stream, title: str) -> str:
    if _disposed(stream, "visual_impaired") or _disposed(stream, "descriptions") or DESCRIPTION.search(title):
        return "description"
    return "commentary" if _disposed(stream, "comment") or COMMENTARY.search(title) else "main"


def _subtitle_role(stream: Stream, title: str) -> str:
    if _disposed(stream, "forced") or FORCED.search(title):
        return "forced"
    if _disposed(stream, "comment") or COMMENTARY.search(title):
        return "commentary"
    heard = _disposed(stream, "hearing_impaired") or _disposed(stream, "captions") or CAPTION.search(title)
    return "caption" if heard else "subtitle"


def _is_interlaced(stream: Stream, frames: Sequence[Mapping[str, Any]]) -> bool:
    if frames:
        return 2 * sum(bool(frame.get("interlaced_frame")) for frame in frames) > len(frames)
    return _text(stream, "field_order") in ("tt", "bb", "tb", "bt")


def _field_order(stream: Stream, frames: Sequence[Mapping[str, Any]]) -> str:
    stated = _text(stream, "field_order") or "unknown"
    if not frames or not _is_interlaced(stream, frames):
        return "progressive" if frames else stated
    if stated in ("tt", "bb", "tb", "bt"):
        return stated
    return "tt" if any(frame.get("top_field_first") for frame in frames) else "bb"


def _rotation(stream: Stream) -> int:
    turned = [_number(entry.get("rotation")) for entry in stream.get("side_data_list") or () if "rotation" in entry]
    counter_clockwise = turned[0] if turned else -_number(_tag(stream, "rotate"))
    return round(-counter_clockwise / 90) % 4 * 90


def _pixel_aspect(stated: str) -> tuple[int, int]:
    ratio = _fraction(stated.replace(":", "/")).limit_denominator(1000)
    return (ratio.numerator, ratio.denominator) if Fraction(1, 10) <= ratio <= 10 else (1, 1)


def _bit_depth(pixel_format: str) -> int:
    found = re.search(r"(?:p|gray|rgb48|rgba64)(9|10|12|14|16)?(?:le|be)?$", pixel_format)
    return int(found[1]) if found and found[1] else 8


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = str(holder.get(key) or "")
    return "" if value in ("unknown", "reserved", "N/A", "none", "[0][0][0][0]") else value


def _tag(stream: Stream, name: str) -> str:
    found = (value for key, value in (stream.get("tags") or {}).items() if key.lower() == name)
    return _clean(next(found, ""))


def _clean(value: object) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(value)).split())[:LONGEST_TEXT]
