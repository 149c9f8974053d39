"""A title made by hand: an index and objects of recognisable bytes, so that no test of delivery needs ffmpeg."""

import hashlib
from collections.abc import Sequence

from manifests.index import Chunk, Kind, Rate, Run, TitleIndex, Track, media_key, text_key
from storage.store import ObjectStore

TITLE_ID = "titleAAAAAAAAAAAAAAAAA"
VERSION = "v7"
SEGMENT_SIZES = ((3000, 200_000), (1500,))
"Of each video track: two objects, three segments."
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n\n01:05.000 --> 01:06.000\nBye\n"


def chunk_bytes(track_id: str, number: int) -> bytes:
    """The stored object: each byte tells where it stands."""
    size = sum(SEGMENT_SIZES[number])
    seed = hashlib.sha256(f"{track_id} {number}".encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


def segment_bytes(track_id: str, number: int) -> bytes:
    """number: from 1."""
    first, second = SEGMENT_SIZES[0]
    whole = chunk_bytes(track_id, 0)
    return [whole[:first], whole[first : first + second], chunk_bytes(track_id, 1)][number - 1]


def make_track(track_id: str, kind: Kind = Kind.VIDEO, **values: object) -> Track:
    chunks = tuple(
        Chunk(f"digest-{number}", hashlib.sha256(chunk_bytes(track_id, number)).hexdigest()[:16], sizes)
        for number, sizes in enumerate(SEGMENT_SIZES)
    )
    common = {
        "id": track_id,
        "kind": kind,
        "codec": "avc1.640028" if kind is Kind.VIDEO else "mp4a.40.2",
        "timescale": 90000 if kind is Kind.VIDEO else 48000,
        "init": f"init of {track_id}".encode(),
        "average_bps": 1_000_000,
        "peak_bps": 1_200_000,
        "timeline": (Run(360000 if kind is Kind.VIDEO else 192000, 3),),
        "chunks": chunks,
    }
    return Track(**{**common, **values})  # type: ignore[arg-type] # tests vary any field


def video(track_id: str, width: int, height: int) -> Track:
    return make_track(track_id, width=width, height=height, frame_rate=Rate(25, 1))


def audio(track_id: str, language: str) -> Track:
    return make_track(track_id, Kind.AUDIO, language=language, sample_rate=48000, channels=2)


def text(track_id: str, language: str) -> Track:
    return Track(
        id=track_id,
        kind=Kind.TEXT,
        codec="wvtt",
        language=language,
        timescale=1000,
        average_bps=100,
        peak_bps=200,
        timeline=(Run(60000, 1), Run(6000, 1)),
        chunks=(Chunk("digest-text", hashlib.sha256(VTT).hexdigest()[:16], (len(VTT),)),),
    )


FILM = (video("v1080", 1920, 1080), video("v540", 960, 540), audio("a-en-1", "en"), text("t-de-1", "de"))
SONG = (audio("a-und-1", "und"),)


def make_index(title_id: str = TITLE_ID, version: str = VERSION, tracks: Sequence[Track] = FILM) -> TitleIndex:
    return TitleIndex(title_id=title_id, version=version, tracks=tuple(tracks))


async def store_title(store: ObjectStore, index: TitleIndex) -> None:
    """Put the index and all that it names."""
    folder = f"titles/{index.title_id}/{index.version}"
    for track in index.tracks:
        for number, chunk in enumerate(track.chunks):
            if track.kind is Kind.TEXT:
                await store.put(text_key(index.title_id, index.version, chunk.digest), VTT)
            else:
                key = media_key(index.title_id, index.version, track.id, chunk.digest)
                await store.put(key, chunk_bytes(track.id, number))
    await store.put(f"{folder}/index.json", index.to_json())
