"""Whole encodes in the test's own process: the tasks of a job run one after the other, without the engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from config.ladders import LadderPolicy
from config.settings import EncodeSettings
from manifests.index import TitleIndex, Track
from storage.local import LocalStore
from tests.intake_helpers import SETTINGS, the_jail, the_tools
from transcoder.assemble import assemble
from transcoder.originals import original_key
from transcoder.pipeline import Sidecar, plan_encode, task_names
from transcoder.plan import EncodePlan
from transcoder.tasks import PROBE, Order, run_order
from transcoder.workshop import Workshop

ORIGINAL = "original"
SMALL_LADDER = LadderPolicy.model_validate(
    {
        "video": [
            {"width": 320, "height": 180, "crf": 22, "max_kbps": 600},
            {"width": 160, "height": 90, "crf": 24, "max_kbps": 200},
        ],
        "audio": {"film_kbps": [96], "song_kbps": [128, 64]},
    }
)
QUICK = EncodeSettings(preset="superfast", segment_s=1.0, chunk_s=8.0)


@dataclass
class Encode:
    """One job on one original."""

    workshop: Workshop
    store: LocalStore
    plan: EncodePlan | None = None
    outputs: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    async def run(self, task: str, cancelled: asyncio.Event | None = None) -> dict[str, Any]:
        order = Order("job", task, ORIGINAL, "film.mp4", self.plan)
        return await run_order(order, self.workshop, report=lambda _: None, cancelled=cancelled or asyncio.Event())

    async def fix_plan(self, *, workers: int = 2, sidecars: tuple[Sidecar, ...] = ()) -> EncodePlan:
        self.plan = plan_encode(
            await self.run(PROBE),
            title_id="T" * 22,
            version="v1",
            original_id=ORIGINAL,
            original_sha256="0" * 64,
            sidecars=sidecars,
            ladder=SMALL_LADDER,
            settings=QUICK,
            workers=workers,
        )
        return self.plan

    async def all(self, **planning: Any) -> TitleIndex:
        for task in task_names(await self.fix_plan(**planning)):
            self.outputs[task] = (await self.run(task))["outputs"]
        assert self.plan is not None
        return (await assemble(self.plan, self.outputs, self.store))[0]

    async def file_of(self, index: TitleIndex, track: Track, folder: Path) -> Path:
        """A track as one file: its init segment and all its segments."""
        file = folder / f"{track.id}.mp4"
        whole = bytearray(track.init)
        for number in range(1, track.segment_count + 1):
            segment = index.segment(track.id, number)
            whole += (await self.store.get(segment.object_key))[segment.offset_bytes :][: segment.size_bytes]
        file.write_bytes(whole)
        return file


@asynccontextmanager
async def encode_of(original: Path, folder: Path) -> AsyncIterator[Encode]:
    store = LocalStore(folder / "store")
    await store.put_file(original_key(ORIGINAL), original)
    workshop = Workshop(
        folder=folder / "work", store=store, tools=the_tools(), jail=the_jail(), intake=SETTINGS, encode=QUICK
    )
    yield Encode(workshop, store)


def pictures_of(file: Path) -> list[tuple[float, float]]:
    """Time and mean brightness (0 to 255) of every picture, as FFmpeg decodes them."""
    with av.open(str(file)) as container:
        return [
            (frame.time or 0.0, float(frame.to_ndarray(format="gray").mean())) for frame in container.decode(video=0)
        ]


def times_of(file: Path) -> list[float]:
    return [time for time, _ in pictures_of(file)]
