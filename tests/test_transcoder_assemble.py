"""From what the tasks stored to the title index."""

import asyncio
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from manifests.errors import MediaError
from manifests.index import Kind, TitleIndex
from tests.encodes import Encode, encode_of
from tests.intake_helpers import make
from transcoder.assemble import assemble, index_key
from transcoder.plan import EncodePlan
from transcoder.store_chunk import chunk_key, facts_key

CUES = "1\n00:00:00,500 --> 00:00:01,500\nHello\n"


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encode]:
    """A film of two chunks with sound and a text."""
    folder = tmp_path_factory.mktemp("encode")
    (folder / "one.srt").write_text(CUES)
    pictures = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=3")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=3")
    text = ("-i", str(folder / "one.srt"))
    film = make(
        folder / "film.mkv",
        *pictures,
        *sound,
        *text,
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "2",
        "-c:v",
        "libx264",
        "-c:s",
        "srt",
    )

    async def all_tasks() -> Encode:
        async with encode_of(film, folder) as encode:
            await encode.all()
            return encode

    yield asyncio.run(all_tasks())


def plan_of(encode: Encode) -> EncodePlan:
    assert encode.plan is not None
    return encode.plan


async def test_the_index_has_every_track_in_order_of_time(encoded: Encode) -> None:
    index, poster = await assemble(plan_of(encoded), encoded.outputs, encoded.store)
    assert [(track.id, track.kind) for track in index.tracks] == [
        ("v90", Kind.VIDEO),
        ("a1-und-96", Kind.AUDIO),
        ("t1-und", Kind.TEXT),
    ]
    pictures = index.track("v90")
    digests = [encoded.outputs[f"video-{number}"]["v90"][0] for number in (1, 2)]
    assert [chunk.digest for chunk in pictures.chunks] == digests
    assert pictures.duration_s == pytest.approx(3)
    assert index.track("a1-und-96").duration_s == pytest.approx(3, abs=0.03)
    assert poster == encoded.outputs["poster"]["poster"][0]


async def test_the_same_outputs_give_the_same_index(encoded: Encode) -> None:
    made = [(await assemble(plan_of(encoded), encoded.outputs, encoded.store))[0].to_json() for _ in range(2)]
    assert made[0] == made[1]
    assert TitleIndex.from_json(made[0]).to_json() == made[0]
    assert index_key(plan_of(encoded)) == f"titles/{'T' * 22}/v1/index.json"


async def test_a_text_without_cues_and_a_poster_that_was_not_found_are_left_out(encoded: Encode) -> None:
    outputs = deepcopy(encoded.outputs) | {"text-t1-und": {"t1-und": []}, "poster": {"poster": []}}
    index, poster = await assemble(plan_of(encoded), outputs, encoded.store)
    assert [track.id for track in index.tracks] == ["v90", "a1-und-96"]
    assert poster == ""


async def test_a_chunk_that_is_in_the_ledger_and_not_in_the_store_is_an_error(encoded: Encode) -> None:
    outputs = deepcopy(encoded.outputs) | {"video-2": {"v90": ["lost"]}}
    with pytest.raises(MediaError, match="track v90: chunk lost is in the ledger and not in the store"):
        await assemble(plan_of(encoded), outputs, encoded.store)


async def test_chunks_that_do_not_follow_each_other_are_an_error(encoded: Encode) -> None:
    outputs = deepcopy(encoded.outputs)
    outputs["video-1"], outputs["video-2"] = outputs["video-2"], outputs["video-1"]
    with pytest.raises(MediaError):
        await assemble(plan_of(encoded), outputs, encoded.store)


async def test_facts_that_do_not_agree_with_their_chunk_are_an_error(encoded: Encode, tmp_path: Path) -> None:
    plan, outputs = plan_of(encoded), deepcopy(encoded.outputs)
    (digest,) = outputs["video-1"]["v90"]
    await encoded.store.put(facts_key(plan, "v90", "short"), await encoded.store.get(facts_key(plan, "v90", digest)))
    await encoded.store.put(chunk_key(plan, "v90", "short"), b"x")
    outputs["video-1"]["v90"] = ["short"]
    with pytest.raises(MediaError, match="chunk short"):
        await assemble(plan, outputs, encoded.store)
