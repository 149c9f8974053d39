"""The preparation of one title, readable from top to bottom: from what the probe found to the tasks of its encode."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from config.ladders import LadderPolicy
from config.settings import EncodeSettings
from manifests.languages import language_tag
from transcoder.audio import AAC_FRAME
from transcoder.chunks import plan_spans, segment_frames, video_timescale
from transcoder.ladder import choose_rungs
from transcoder.original import AudioStream, Original, VideoStream
from transcoder.plan import AudioPlan, EncodePlan, PosterPlan, TextPlan, VideoPlan
from transcoder.tasks import POSTER, PROBE

SEEKABLE = re.compile(r"\b(mov|matroska)\b")
"Containers with an index of sync samples; elsewhere a decoder begins at the start, and there is one chunk."
PIECE_S = 60.0
"Sound in one stored object."
POSTER_AT = 0.2
"Part of a film after which to look for its poster: past logos and titles."
SOUND_RATES = (44_100, 48_000)

LIGHT = (PROBE, POSTER, "text")
"Tasks that cost little."


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A subtitle file beside an original."""

    original_id: str
    language: str
    role: str


def sidecar_of(original_id: str, filename: str) -> Sidecar:
    """What the name of a subtitle file says: `film.de.forced.srt`, `film.en-US.vtt`."""
    parts = filename.split(".")[1:-1]
    roles = [SIDECAR_ROLES[part.lower()] for part in parts if part.lower() in SIDECAR_ROLES]
    last = next((part for part in reversed(parts) if part.lower() not in SIDECAR_ROLES), "")
    return Sidecar(original_id, language_tag(last), (roles or ["subtitle"])[0])


TEXT_ROLES = {"forced": "forced-subtitle"}
"Words of files, where DASH has others (ISO/IEC 23009-1, 5.8.5.5)."
SIDECAR_ROLES = TEXT_ROLES | {"sdh": "caption", "cc": "caption", "captions": "caption"}


def plan_encode(
    found: Mapping[str, Any],
    *,
    title_id: str,
    version: str,
    original_id: str,
    original_sha256: str,
    sidecars: Sequence[Sidecar],
    ladder: LadderPolicy,
    settings: EncodeSettings,
    workers: int,
) -> EncodePlan:
    """Fix everything that determines the outputs.

    found: the result of the probe task.
    workers: encodes that run at once; short titles are cut so that each has some.
    """
    original = msgspec.convert(found["original"], Original)
    video = _video_plan(original, original.video, ladder, settings, workers) if original.video else None
    duration_s = video.duration_s if video else original.duration_s
    start_s = video.start_s if video else (original.audio[0].start_s if original.audio else 0.0)
    return EncodePlan(
        title_id=title_id,
        version=version,
        original_id=original_id,
        original_sha256=original_sha256,
        encoder=found["encoder"],
        container=original.container,
        duration_s=duration_s,
        video=video,
        audio=_audio_plans(original.audio, start_s, video, ladder, settings),
        text=_text_plans(original, sidecars, start_s, duration_s) if video else (),
        poster=_poster_plan(original, duration_s),
        tags={"title": original.tags.title, "artist": original.tags.artist, "album": original.tags.album},
        notes=original.notes,
    )


def task_names(plan: EncodePlan) -> list[str]:
    """Every task after the probe."""
    return list(task_weights(plan))


def task_weights(plan: EncodePlan) -> dict[str, float]:
    """Tasks and what they cost, roughly, in seconds of pictures."""
    weights = {f"audio-{run.track_id}": plan.duration_s / 20 for run in plan.audio}
    if plan.video:
        seconds = plan.video.frame_rate.denominator / plan.video.frame_rate.numerator
        weights |= {f"video-{span.number}": span.frame_count * seconds for span in plan.video.spans}
    weights |= {f"text-{text.track_id}": 0.1 for text in plan.text}
    return weights | ({POSTER: 0.1} if plan.poster else {})


def task_priority(task: str) -> int:
    """The higher the sooner: small things first, then sound, then pictures in order of time."""
    kind, _, name = task.partition("-")
    return {PROBE: 3, POSTER: 2, "text": 2, "audio": 1}.get(kind, 0) or -int(name)


def is_light(task: str) -> bool:
    return task.startswith(LIGHT)


def _video_plan(
    original: Original, video: VideoStream, ladder: LadderPolicy, settings: EncodeSettings, workers: int
) -> VideoPlan:
    rate = video.frame_rate
    per_segment = segment_frames(rate, settings.segment_s)
    per_chunk = segment_frames(rate, settings.chunk_s)
    return VideoPlan(
        stream=video.index,
        start_s=video.start_s,
        frame_rate=rate,
        timescale=video_timescale(rate),
        segment_frames=per_segment,
        deinterlace=video.is_interlaced,
        tone_map=video.is_hdr,
        preset=settings.preset,
        rungs=choose_rungs(ladder, *video.display_size),
        spans=plan_spans(
            video.encoded_frame_count,
            per_segment,
            per_chunk,
            workers,
            seekable=bool(SEEKABLE.search(original.container)),
        ),
    )


def _audio_plans(
    streams: Sequence[AudioStream],
    start_s: float,
    video: VideoPlan | None,
    ladder: LadderPolicy,
    settings: EncodeSettings,
) -> tuple[AudioPlan, ...]:
    rates = ladder.audio.film_kbps if video else ladder.audio.song_kbps
    chosen = _one_for_each_role(streams) if video else list(streams[:1])
    return tuple(
        _audio_plan(stream, number, kbps, start_s, video, settings)
        for number, stream in enumerate(chosen, 1)
        for kbps in rates
    )


def _audio_plan(
    stream: AudioStream, number: int, kbps: int, start_s: float, video: VideoPlan | None, settings: EncodeSettings
) -> AudioPlan:
    sample_rate = stream.sample_rate if not video and stream.sample_rate in SOUND_RATES else SOUND_RATES[-1]
    frames = max(1, round(settings.segment_s * sample_rate / AAC_FRAME))
    return AudioPlan(
        track_id=f"a{number}-{stream.language.lower()}-{kbps}",
        stream=stream.index,
        start_s=start_s,
        pad_to_s=video.duration_s if video else 0.0,
        language=stream.language,
        role=stream.role,
        name=stream.title,
        sample_rate=sample_rate,
        channels=1 if stream.channels == 1 else 2,
        kbps=min(kbps, 160) if stream.channels == 1 else kbps,
        segment_frames=frames,
        piece_segments=max(1, round(PIECE_S * sample_rate / AAC_FRAME / frames)),
    )


def _one_for_each_role(streams: Sequence[AudioStream]) -> list[AudioStream]:
    """The first of each language and role: discs carry the same sound in several formats."""
    return list({(stream.language, stream.role): stream for stream in reversed(streams)}.values())[::-1]


def _text_plans(
    original: Original, sidecars: Sequence[Sidecar], start_s: float, duration_s: float
) -> tuple[TextPlan, ...]:
    inside = [
        (stream.index, "", stream.language, TEXT_ROLES.get(stream.role, stream.role), stream.title)
        for stream in original.subtitles
    ]
    beside = [(None, sidecar.original_id, sidecar.language, sidecar.role, "") for sidecar in sidecars]
    return tuple(
        TextPlan(
            track_id=f"t{number}-{language.lower()}",
            stream=stream,
            sidecar_id=sidecar_id,
            start_s=start_s,
            duration_s=duration_s,
            language=language,
            role=role,
            name=name,
        )
        for number, (stream, sidecar_id, language, role, name) in enumerate([*inside, *beside], 1)
    )


def _poster_plan(original: Original, duration_s: float) -> PosterPlan | None:
    if original.cover is not None:
        return PosterPlan(stream=original.cover, at_s=None, tone_map=False)
    if original.video is not None:
        return PosterPlan(stream=original.video.index, at_s=duration_s * POSTER_AT, tone_map=original.video.is_hdr)
    return None
