"""Pictures: one chunk of one title, all its rungs from one decode."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from manifests.errors import MediaError
from manifests.fragments import FragmentReader
from manifests.index import Kind
from manifests.init_segments import InitHeader, init_segment
from manifests.segments import aligned, media_segment
from transcoder.ffmpeg import Node, foreign_input, output
from transcoder.plan import Rung, Span, VideoPlan

READ_BYTES = 1 << 20

DELAY_FRAMES = 2
"Pictures by which x264 delays presentation for its B-frames, with a pyramid; the edit list takes that back."

TONE_MAP = (
    ("zscale", {"t": "linear", "npl": 203}),  # 203 cd/m² is the white of SDR in HDR (ITU-R BT.2408)
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": 0}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
)


def chunk_outputs(plan: VideoPlan, span: Span, rungs: Sequence[Rung], original: Path, job: Path) -> list[Node]:
    """ffmpeg-python nodes that write `{track_id}.mp4` into the job's folder, one for each rung."""
    start_s = plan.start_s + span.start_frame * plan.frame_rate.denominator / plan.frame_rate.numerator
    source = foreign_input(
        original,
        threads=1,  # one chunk to a core: no threads to wait for each other
        **_seek(start_s) if span.start_frame else {},
        copyts=None,  # source times stay, so that every chunk counts pictures on the same grid
    )
    pictures = source[str(plan.stream)]
    if plan.deinterlace:
        pictures = pictures.filter("bwdif", mode="send_frame", deint="all")
    rate = f"{plan.frame_rate.numerator}/{plan.frame_rate.denominator}"
    pictures = pictures.filter("fps", fps=rate, start_time=f"{start_s:.6f}", round="near")
    pictures = pictures.filter("trim", end_frame=span.frame_count)
    if plan.tone_map:
        for name, options in TONE_MAP:
            pictures = pictures.filter(name, **options)
    branches = pictures.filter_multi_output("split", len(rungs))
    return [_rung_output(plan, rung, branches[number], job) for number, rung in enumerate(rungs)]


def _seek(start_s: float) -> dict[str, Any]:
    # To the sync sample before; `fps` drops what comes too early. An accurate seek would cut by its own arithmetic.
    return {"seek_timestamp": 1, "ss": f"{start_s:.6f}", "noaccurate_seek": None}


def _rung_output(plan: VideoPlan, rung: Rung, branch: Node, job: Path) -> Node:
    sized = (
        branch.filter("scale", rung.width, rung.height, flags="bicubic")
        .filter("setsar", "1")
        .filter("format", "yuv420p")
    )
    x264 = {
        "stitchable": 1,  # parameter sets depend on settings alone, so that all chunks share one init segment
        "open-gop": 0,
        "scenecut": 0,  # sync samples stand on the grid and nowhere else
        "keyint": plan.segment_frames,
        "min-keyint": plan.segment_frames,
    }
    return output(
        sized,
        job / f"{rung.track_id}.mp4",
        f="mp4",
        vcodec="libx264",
        preset=plan.preset,
        **{"profile:v": "high"},
        threads=1,
        crf=rung.crf,
        maxrate=f"{rung.max_kbps}k",
        bufsize=f"{2 * rung.max_kbps}k",
        **{"x264-params": ":".join(f"{name}={value}" for name, value in x264.items())},
        video_track_timescale=plan.timescale,
        movflags="+empty_moov+default_base_moof+frag_keyframe",
        map_metadata=-1,
        map_chapters=-1,
    )


def repackage_chunk(plan: VideoPlan, rung: Rung, span: Span, made: Path, into: Path) -> bytes:
    """From ffmpeg's file to the segments that are stored; gives their init segment.

    Raises MediaError unless there are exactly the pictures of the span, in groups on the grid.
    """
    number = 1 + span.start_frame // plan.segment_frames
    decode_time_ticks = span.start_frame * plan.frame_ticks
    delay_ticks = DELAY_FRAMES * plan.frame_ticks
    reader, frames = FragmentReader(), 0
    with into.open("wb") as file:
        for fragment in _fragments(reader, made):
            samples = aligned(fragment.samples, delay_ticks)
            file.write(media_segment(number, decode_time_ticks, samples, fragment.data))
            frames += len(samples)
            decode_time_ticks += len(samples) * plan.frame_ticks
            number += 1
    _check_frames(plan, span, frames, segments=number - 1 - span.start_frame // plan.segment_frames)
    if reader.header is None or reader.header.timescale != plan.timescale:
        raise MediaError(f"{made.name} has no video track of timescale {plan.timescale}")
    return init_segment(
        InitHeader(
            kind=Kind.VIDEO,
            timescale=plan.timescale,
            sample_entry=reader.header.sample_entry,
            width=rung.width,
            height=rung.height,
            edit_media_time_ticks=delay_ticks,
        )
    )


def _fragments(reader: FragmentReader, made: Path) -> Iterator[Any]:
    with made.open("rb") as file:
        while block := file.read(READ_BYTES):
            yield from reader.feed(block)
    reader.close()


def _check_frames(plan: VideoPlan, span: Span, frames: int, segments: int) -> None:
    last = span == plan.spans[-1]
    if frames != span.frame_count and not (last and 0 < frames < span.frame_count):  # a damaged end may hold fewer
        raise MediaError(f"chunk {span.number} has {frames} pictures, not {span.frame_count}")
    if segments != -(-frames // plan.segment_frames):
        raise MediaError(f"chunk {span.number} has {segments} groups of pictures, not one every {plan.segment_frames}")
