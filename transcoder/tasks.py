"""What the engine runs: look at an original, encode a chunk of pictures, a run of sound, a text, a poster.

Every task first looks whether its outputs are stored already, and puts them once, so it may run any number of times.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiofiles
import msgspec

from manifests.index import text_key
from manifests.webvtt import write_webvtt
from storage.errors import ObjectExists
from transcoder.audio import AudioSegmenter, audio_output
from transcoder.errors import Cancelled, TranscodeError, WrongEncoder
from transcoder.images import image_key, poster_output
from transcoder.plan import AudioPlan, EncodePlan, PosterPlan, Span, TextPlan, VideoPlan
from transcoder.probe import probe
from transcoder.store_chunk import store_chunk, stored_facts
from transcoder.subtitles import sidecar_cues, stream_cues, text_output
from transcoder.video import chunk_outputs, repackage_chunk
from transcoder.workshop import Workshop

PROBE = "probe"
POSTER = "poster"

T = TypeVar("T")
Report = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Order:
    """One task of one job, as it travels to a worker."""

    job_id: str
    task: str
    "`probe`, `video-{span}`, `audio-{track}`, `text-{track}` or `poster`."
    original_id: str
    filename: str
    "As uploaded; a hint for the probe and for people, never a path."
    plan: EncodePlan | None
    "None for the probe, which comes before it."


async def run_order(order: Order, workshop: Workshop, *, report: Report, cancelled: asyncio.Event) -> dict[str, Any]:
    """Run a task to its end, or until `cancelled` is set. Raises TranscodeError, MediaError, StorageError."""
    return await _unless(cancelled, _run(order, workshop, report))


async def _run(order: Order, workshop: Workshop, report: Report) -> dict[str, Any]:
    kind, _, name = order.task.partition("-")
    if kind == PROBE:
        return await _probe(order, workshop)
    plan = order.plan
    if plan is None:
        raise TranscodeError(f"task {order.task} came without its plan")
    if kind in ("video", "audio") and plan.encoder != workshop.tools.encoder_identity:
        raise WrongEncoder(
            f"the encode began with {plan.encoder}, and this host has {workshop.tools.encoder_identity}; upload again"
        )
    if kind == "video" and plan.video is not None:
        span = next(span for span in plan.video.spans if span.number == int(name))
        made = await _video(plan, plan.video, span, workshop, report)
    elif kind == "audio":
        run = next(run for run in plan.audio if run.track_id == name)
        made = {run.track_id: await _audio(plan, run, workshop, report)}
    elif kind == "text":
        text = next(text for text in plan.text if text.track_id == name)
        made = {text.track_id: await _text(plan, text, workshop)}
    elif kind == POSTER and plan.poster is not None:
        made = {POSTER: await _poster(plan, plan.poster, workshop)}
    else:
        raise TranscodeError(f"no such task: {order.task}")
    return {"outputs": made}


async def _unless(cancelled: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Wait for the work, or end it when told to; its processes and folders are gone before this returns."""
    working, stop = asyncio.ensure_future(work), asyncio.create_task(cancelled.wait())
    try:
        await asyncio.wait({working, stop}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Cancelled("the encode was cancelled")
    finally:
        for task in (working, stop):
            task.cancel()
        await asyncio.gather(working, stop, return_exceptions=True)


async def _probe(order: Order, workshop: Workshop) -> dict[str, Any]:
    async with workshop.job_folder() as job, workshop.original(order.original_id) as original:
        found = await probe(original, workshop.tools, workshop.jail, workshop.intake, job)
    return {"original": msgspec.to_builtins(found), "encoder": workshop.tools.encoder_identity}


async def _video(
    plan: EncodePlan, video: VideoPlan, span: Span, workshop: Workshop, report: Report
) -> dict[str, list[str]]:
    settings = {name: value for name, value in msgspec.to_builtins(video).items() if name not in ("rungs", "spans")}
    digests = {
        rung: plan.digest("video", settings, msgspec.to_builtins(rung), msgspec.to_builtins(span))
        for rung in video.rungs
    }
    missing = [
        rung for rung in video.rungs if not await stored_facts(workshop.store, plan, rung.track_id, digests[rung])
    ]
    if missing:
        duration_s = span.frame_count * video.frame_rate.denominator / video.frame_rate.numerator
        async with workshop.job_folder() as job, workshop.original(plan.original_id) as original:
            outputs = chunk_outputs(video, span, missing, original, job)
            begins_s = video.start_s + span.start_frame * video.frame_rate.denominator / video.frame_rate.numerator
            await workshop.run(outputs, job, original, lambda at_s: report((at_s - begins_s) / duration_s), duration_s)
            for rung in missing:
                chunk = job / f"{rung.track_id}.m4s"
                init = await asyncio.to_thread(repackage_chunk, video, rung, span, job / f"{rung.track_id}.mp4", chunk)
                await store_chunk(workshop.store, plan, rung.track_id, digests[rung], init, chunk)
    return {rung.track_id: [digests[rung]] for rung in video.rungs}


async def _audio(plan: EncodePlan, run: AudioPlan, workshop: Workshop, report: Report) -> list[str]:
    """One run from start to end; what it has made so far is stored every piece."""
    segmenter, digests, piece = AudioSegmenter(run), list[str](), list[bytes]()

    async def store_piece(job: Path) -> None:
        digest = plan.digest("audio", msgspec.to_builtins(run), len(digests) + 1)
        file = job / f"{digest}.m4s"
        async with aiofiles.open(file, "wb") as written:
            await written.writelines(piece)
        await store_chunk(workshop.store, plan, run.track_id, digest, segmenter.init(), file)
        file.unlink()
        digests.append(digest)
        piece.clear()

    async with workshop.job_folder() as job, workshop.original(plan.original_id) as original:
        blocks = workshop.stream(
            audio_output(run, original),
            job,
            original,
            lambda at_s: report(at_s / plan.duration_s),
            plan.duration_s,
        )
        async with contextlib.aclosing(blocks):
            async for block in blocks:
                for segment in segmenter.feed(block):
                    piece.append(segment)
                    if len(piece) == run.piece_segments:
                        await store_piece(job)
        piece.extend(segmenter.finish())
        if piece:
            await store_piece(job)
    return digests


async def _text(plan: EncodePlan, text: TextPlan, workshop: Workshop) -> list[str]:
    """A WebVTT object. A stream without a single cue gives none."""
    async with workshop.job_folder() as job:
        if text.stream is None:
            async with workshop.original(text.sidecar_id) as sidecar:
                document = await asyncio.to_thread(sidecar_cues, sidecar)
        else:
            async with workshop.original(plan.original_id) as original:
                await workshop.run([text_output(text.stream, original, job)], job, original, _ignore, plan.duration_s)
            document = await asyncio.to_thread(stream_cues, job, text.start_s)
    if not document.cues:
        return []
    digest = plan.digest("text", msgspec.to_builtins(text))
    with contextlib.suppress(ObjectExists):
        await workshop.store.put(text_key(plan.title_id, plan.version, digest), write_webvtt(document).encode())
    return [digest]


async def _poster(plan: EncodePlan, poster: PosterPlan, workshop: Workshop) -> list[str]:
    async with workshop.job_folder() as job, workshop.original(plan.original_id) as original:
        await workshop.run([poster_output(poster, original, job)], job, original, _ignore, plan.duration_s)
        try:
            async with aiofiles.open(job / "poster.jpg", "rb") as file:
                image = await file.read()
        except FileNotFoundError:  # not one picture could be decoded there
            return []
    key, digest = image_key(plan, image)
    with contextlib.suppress(ObjectExists):
        await workshop.store.put(key, image)
    return [digest]


def _ignore(_at_s: float) -> None:
    pass
