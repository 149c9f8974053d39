"""From what the tasks stored to the title index."""

import asyncio
from collections.abc import Mapping, Sequence

from manifests.errors import MediaError
from manifests.facts import ChunkFacts
from manifests.index import Kind, TitleIndex, Track, text_key
from manifests.index_build import TrackLabel, join_facts, join_text
from storage.store import ObjectStore
from transcoder.plan import EncodePlan
from transcoder.store_chunk import stored_facts

READS_AT_ONCE = 16

Outputs = Mapping[str, Mapping[str, Sequence[str]]]
"Digests by task and track."


def index_key(plan: EncodePlan) -> str:
    return f"{plan.folder}/index.json"


async def assemble(plan: EncodePlan, outputs: Outputs, store: ObjectStore) -> tuple[TitleIndex, str]:
    """The index of a finished encode, and the digest of its poster (empty: it has none).

    Raises MediaError if what is stored does not fit together.
    """
    tracks = [await _joined(plan, label, _digests(plan, outputs, label.id), store) for label in _labels(plan)]
    duration_ms = round(1000 * max(track.duration_s for track in tracks))
    for text in plan.text:
        for digest in outputs[f"text-{text.track_id}"].get(text.track_id, ()):
            document = await store.get(text_key(plan.title_id, plan.version, digest))
            label = TrackLabel(id=text.track_id, language=text.language, role=text.role, name=text.name)
            tracks.append(join_text(label, digest, document, duration_ms))
    poster = next(iter(outputs.get("poster", {}).get("poster", ())), "")
    return TitleIndex(title_id=plan.title_id, version=plan.version, tracks=tuple(tracks)), poster


def _labels(plan: EncodePlan) -> list[TrackLabel]:
    video = (
        [TrackLabel(id=rung.track_id, frame_rate=plan.video.frame_rate) for rung in plan.video.rungs]
        if plan.video
        else []
    )
    audio = [TrackLabel(id=run.track_id, language=run.language, role=run.role, name=run.name) for run in plan.audio]
    return video + audio


def _digests(plan: EncodePlan, outputs: Outputs, track_id: str) -> list[str]:
    """Of one track's objects, in order of time."""
    spans = [f"video-{span.number}" for span in plan.video.spans] if plan.video else []
    tasks = [f"audio-{track_id}"] if f"audio-{track_id}" in outputs else spans
    return [digest for task in tasks for digest in outputs[task][track_id]]


async def _joined(plan: EncodePlan, label: TrackLabel, digests: Sequence[str], store: ObjectStore) -> Track:
    limit = asyncio.Semaphore(READS_AT_ONCE)

    async def facts(digest: str) -> tuple[str, ChunkFacts]:
        async with limit:
            found = await stored_facts(store, plan, label.id, digest)
        if found is None:
            raise MediaError(f"track {label.id}: chunk {digest} is in the ledger and not in the store")
        return digest, found

    track = join_facts(label, await asyncio.gather(*map(facts, digests)))
    assert track.kind in (Kind.VIDEO, Kind.AUDIO)
    return track
