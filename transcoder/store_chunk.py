"""A finished chunk goes to the store, and its facts are made from what is stored there."""

import asyncio
import contextlib
from pathlib import Path

from manifests.errors import MediaError
from manifests.facts import ChunkFacts, scan_chunk
from manifests.index import media_key
from storage.errors import ObjectExists, ObjectNotFound
from storage.store import ObjectStore
from transcoder.plan import EncodePlan


def chunk_key(plan: EncodePlan, track_id: str, digest: str) -> str:
    return media_key(plan.title_id, plan.version, track_id, digest)


def facts_key(plan: EncodePlan, track_id: str, digest: str) -> str:
    return chunk_key(plan, track_id, digest).removesuffix(".m4s") + ".json"


async def stored_facts(store: ObjectStore, plan: EncodePlan, track_id: str, digest: str) -> ChunkFacts | None:
    """Facts of a chunk that is done: both it and they are stored and agree in size. None: it has to be made."""
    try:
        facts = ChunkFacts.from_json(await store.get(facts_key(plan, track_id, digest)))
        stored = await store.head(chunk_key(plan, track_id, digest))
    except ObjectNotFound:
        return None
    return facts if stored.size_bytes == sum(facts.sizes_bytes) else None


async def store_chunk(
    store: ObjectStore, plan: EncodePlan, track_id: str, digest: str, init: bytes, file: Path
) -> ChunkFacts:
    """Put a chunk, read it back and put its facts. Raises MediaError if the stored bytes are not what they should be.

    Where an earlier attempt had stored the object and died before its facts, the object stays and is scanned like
    our own: it has the same name, so it was made from the same things.
    """
    key, made_bytes = chunk_key(plan, track_id, digest), (await asyncio.to_thread(file.stat)).st_size
    with contextlib.suppress(ObjectExists):
        await store.put_file(key, file)
    facts = scan_chunk(init, await store.get(key))
    if sum(facts.sizes_bytes) != made_bytes:
        raise MediaError(f"stored object {key} has {sum(facts.sizes_bytes)} bytes, and we made {made_bytes}")
    with contextlib.suppress(ObjectExists):
        await store.put(facts_key(plan, track_id, digest), facts.to_json())
    return facts
