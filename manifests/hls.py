"""HLS playlists (RFC 8216) of a presentation, with fMP4 segments and WebVTT.

Addresses are relative to the folder `hls/`, where all playlists of a version stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from manifests.index import Kind, Track
from manifests.languages import UNDETERMINED
from manifests.presentation import Presentation, SwitchingSet
from manifests.timing import decimal_seconds, frames_per_second, target_duration_s

VERSION = 7
"For EXT-X-MAP outside of I-frame playlists 6 would do; fragmented MP4 came with 7."

CHARACTERISTICS = {
    "description": "public.accessibility.describes-video",
    "caption": "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",
}
"Uniform type identifiers of RFC 8216, 4.3.4.1, by role."

NOT_BY_ITSELF = ("commentary", "alternate")
"Roles that a player shall not choose by language alone."


def multivariant_playlist(presentation: Presentation) -> str:
    """The playlist of all variants and renditions (RFC 8216, 4.3.4: master playlist)."""
    video = [track for switching_set in presentation.sets_of(Kind.VIDEO) for track in switching_set.tracks]
    audio = _audio_groups(presentation.sets_of(Kind.AUDIO), with_video=bool(video))
    texts = presentation.sets_of(Kind.TEXT)
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for group in audio:
        lines += _renditions("AUDIO", group)
    lines += _renditions("SUBTITLES", Group(TEXT_GROUP, [(text, text.tracks[0]) for text in texts]))
    subtitles = max((text.tracks[0].peak_bps for text in texts), default=0)
    subtitles_average = max((text.tracks[0].average_bps for text in texts), default=0)
    for variant in _variants(video, audio):
        attributes = _stream_attributes(variant, subtitles, subtitles_average)
        if texts:
            attributes["SUBTITLES"] = _quoted(TEXT_GROUP)
        lines += [_tag("EXT-X-STREAM-INF", attributes), f"{variant.track.id}.m3u8"]
    return "\n".join(lines) + "\n"


def media_playlist(presentation: Presentation, track_id: str) -> str:
    """The segments of one track. Raises MediaError if the presentation does not have it."""
    track = presentation.track(track_id)
    folder = f"../{presentation.scheme}/{track.id}"
    longest = max(run.duration_ticks for run in track.timeline)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_duration_s(longest, track.timescale)}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    if track.kind is not Kind.TEXT:
        lines += ["#EXT-X-INDEPENDENT-SEGMENTS", f'#EXT-X-MAP:URI="{folder}/init.mp4"']
    suffix = "vtt" if track.kind is Kind.TEXT else "m4s"
    number = 1
    for run in track.timeline:
        information = f"#EXTINF:{decimal_seconds(run.duration_ticks, track.timescale)},\n{folder}/"
        end = number + run.segment_count
        lines += [f"{information}{segment}.{suffix}" for segment in range(number, end)]
        number = end
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


TEXT_GROUP = "text"


@dataclass(frozen=True, slots=True)
class Group:
    """A rendition group: of each switching set one track."""

    id: str
    "Empty: the group's only track stands in the variants themselves."
    members: list[tuple[SwitchingSet, Track]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One EXT-X-STREAM-INF: a track in the variant's own playlist, and the audio that goes with it."""

    track: Track
    audio: Group | None


def _audio_groups(sets: tuple[SwitchingSet, ...], *, with_video: bool) -> list[Group]:
    """One group for each rung of the audio: all have the same members (RFC 8216, 4.3.4.1.1).

    A set with fewer rungs stands with its last one in the groups below.
    """
    rungs = max((len(switching_set.tracks) for switching_set in sets), default=0)
    named = with_video or len(sets) > 1
    return [
        Group(
            f"audio-{rung + 1}" if named else "",
            [(switching_set, switching_set.tracks[min(rung, len(switching_set.tracks) - 1)]) for switching_set in sets],
        )
        for rung in range(rungs)
    ]


def _variants(video: list[Track], audio: list[Group]) -> Iterator[Variant]:
    if not video:
        yield from (Variant(group.members[0][1], group) for group in audio)
    elif not audio:
        yield from (Variant(track, None) for track in video)
    else:
        yield from (Variant(track, group) for group, track in product(audio, video))


def _renditions(media_type: str, group: Group) -> Iterator[str]:
    if not group.id:
        return
    chosen: set[tuple[str, str, bool]] = set()
    for number, (switching_set, track) in enumerate(group.members):
        characteristics, forced = CHARACTERISTICS.get(switching_set.role, ""), switching_set.role == "forced-subtitle"
        # Those that a player may choose by itself must differ in what it chooses by (RFC 8216, 4.3.4.1.1).
        choice = (switching_set.language, characteristics, forced)
        default = media_type == "AUDIO" and number == 0
        by_itself = default or (switching_set.role not in NOT_BY_ITSELF and choice not in chosen)
        if by_itself:
            chosen.add(choice)
        attributes = {
            "TYPE": media_type,
            "GROUP-ID": _quoted(group.id),
            "NAME": _quoted(switching_set.name),
            "DEFAULT": _yes(default),
            "AUTOSELECT": _yes(by_itself),
        }
        if switching_set.language != UNDETERMINED:
            attributes["LANGUAGE"] = _quoted(switching_set.language)
        if media_type == "SUBTITLES":
            attributes["FORCED"] = _yes(forced)
        if characteristics:
            attributes["CHARACTERISTICS"] = _quoted(characteristics)
        if track.channels:
            attributes["CHANNELS"] = _quoted(str(track.channels))
        attributes["URI"] = _quoted(f"{track.id}.m3u8")
        yield _tag("EXT-X-MEDIA", attributes)


def _stream_attributes(variant: Variant, subtitles_bps: int, subtitles_average_bps: int) -> dict[str, str]:
    track, audio = variant.track, [member for _, member in variant.audio.members] if variant.audio else []
    # An audio track that is the variant itself does not come twice.
    own = [track] if track.kind is Kind.VIDEO else []
    attributes = {
        "BANDWIDTH": str(_combined([t.peak_bps for t in own], [t.peak_bps for t in audio]) + subtitles_bps),
        "AVERAGE-BANDWIDTH": str(
            _combined([t.average_bps for t in own], [t.average_bps for t in audio]) + subtitles_average_bps
        ),
        "CODECS": _quoted(",".join(dict.fromkeys(t.codec for t in own + audio))),
    }
    if track.kind is Kind.VIDEO:
        attributes["RESOLUTION"] = f"{track.width}x{track.height}"
        if track.frame_rate:
            attributes["FRAME-RATE"] = frames_per_second(*track.frame_rate)
        attributes["CLOSED-CAPTIONS"] = "NONE"  # none inside the video; without this players look for them
    if variant.audio and variant.audio.id:
        attributes["AUDIO"] = _quoted(variant.audio.id)
    return attributes


def _combined(own: list[int], audio: list[int]) -> int:
    """The largest sum that any playable combination of renditions makes (RFC 8216, 4.3.4.2)."""
    return sum(own) + max(audio, default=0)


def _tag(name: str, attributes: dict[str, str]) -> str:
    return f"#{name}:" + ",".join(f"{key}={value}" for key, value in attributes.items())


def _quoted(text: str) -> str:
    """A quoted string, which can hold neither a double quote nor a line's end (RFC 8216, 4.2)."""
    return '"' + "".join(c if c.isprintable() else " " for c in text.replace('"', "'")) + '"'


def _yes(is_so: bool) -> str:
    return "YES" if is_so else "NO"
