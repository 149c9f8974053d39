import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import MediaError
from manifests.facts import ChunkFacts, scan_chunk
from manifests.fragments import Sample
from manifests.index import Kind
from manifests.segments import media_segment
from tests.manifests_helpers import audio_facts, repackaged_audio, repackaged_video, video_facts


def test_pictures_are_described_from_their_bytes() -> None:
    init, data = repackaged_video()
    assert video_facts() == ChunkFacts(
        kind=Kind.VIDEO,
        codec="avc1.64000b",
        timescale=90_000,
        init=init,
        first_number=1,
        start_ticks=0,
        durations_ticks=(90_000, 90_000),
        sizes_bytes=video_facts().sizes_bytes,
        sample_count=50,
        sha256=hashlib.sha256(data).hexdigest(),
        edit_media_time_ticks=7200,
        width=160,
        height=90,
    )
    assert sum(video_facts().sizes_bytes) == len(data)


def test_sound_is_described_from_its_bytes() -> None:
    facts = audio_facts()
    assert (facts.kind, facts.codec, facts.sample_rate, facts.channels) == (Kind.AUDIO, "mp4a.40.2", 48_000, 2)
    assert facts.durations_ticks == (40_960, 40_960, 15_104)
    assert facts.end_ticks - facts.edit_media_time_ticks == 96_000


@pytest.mark.parametrize("facts", [video_facts(), audio_facts()], ids=["video", "audio"])
def test_facts_survive_a_round_trip(facts: ChunkFacts) -> None:
    assert ChunkFacts.from_json(facts.to_json()) == facts


def test_members_of_later_versions_are_ignored() -> None:
    later = json.dumps(json.loads(video_facts().to_json()) | {"vmaf": 95.5}).encode()
    assert ChunkFacts.from_json(later) == video_facts()


@pytest.mark.parametrize(
    "changes",
    [
        {"timescale": 0},
        {"timescale": "90000"},
        {"kind": "smell"},
        {"sizes_bytes": []},
        {"sizes_bytes": [1]},
        {"durations_ticks": [1, -1]},
        {"init": "not base64"},
        {"first_number": 0},
    ],
)
def test_false_facts_are_bad_media(changes: dict[str, object]) -> None:
    with pytest.raises(MediaError, match="chunk facts: "):
        ChunkFacts.from_json(json.dumps(json.loads(video_facts().to_json()) | changes).encode())


@given(st.binary(max_size=40))
def test_bytes_that_are_no_facts_are_bad_media(data: bytes) -> None:
    with pytest.raises(MediaError, match="chunk facts: "):
        ChunkFacts.from_json(data)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (Sample(10, 1, 7200, False), "does not begin with a sync sample"),
        (Sample(10, 1, 0, True), "segment 1 begins at 0, its first picture at -7200"),
        (Sample(0, 1, 7200, True), "has no duration"),
    ],
)
def test_pictures_that_break_what_players_are_promised_are_refused(sample: Sample, message: str) -> None:
    init, _ = repackaged_video()
    with pytest.raises(MediaError, match=message):
        scan_chunk(init, media_segment(1, 0, [sample], b"x"))


def test_one_flipped_bit_changes_the_hash() -> None:
    init, data = repackaged_audio()
    other = data[:-1] + bytes([data[-1] ^ 1])
    assert scan_chunk(init, other) == replace(audio_facts(), sha256=hashlib.sha256(other).hexdigest())


def test_an_init_segment_of_another_kind_of_media_is_refused() -> None:
    init, data = repackaged_audio()
    with pytest.raises(MediaError, match="neither picture nor sound"):
        scan_chunk(init.replace(b"soun", b"text"), data)
