"""Encodes: wall time, processor time and quality of our way beside plain ffmpeg making the same ladder."""

import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.farm import Farm, anew, forget, index_of, open_farm, write_track
from bench.films import LONGEST_S, Film, films
from bench.plain_ffmpeg import Cost, PlainFfmpeg, run_at_once, run_in_turn
from bench.report import Report, ratio, verdict
from bench.vmaf import EVERY_NTH_PICTURE, vmaf
from config.settings import IntakeSettings, Settings
from transcoder.engine_process import worker_count
from transcoder.plan import EncodePlan
from transcoder.tools import Tools

ROUNDS = 3

OURS, APART = "Marquee", "Marquee, a task per rung"
SPLIT, IN_TURN, AT_ONCE = "one ffmpeg, split", "an ffmpeg per rung, in turn", "an ffmpeg per rung, at once"
AIMS = {SPLIT: 1.00, IN_TURN: 0.80, AT_ONCE: 0.80}
"Our wall time over that of each, at most."
VMAF_AIM = 0.3

COLUMNS = ("encode", "wall s", "CPU s", "Marquee's wall / this", "Marquee's CPU / this", "MB of video", "VMAF by rung")


@dataclass(slots=True)
class Measured:
    """One film, encoded in every way."""

    film: Film
    plan: EncodePlan
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    "Bytes of all rungs."
    scores: dict[str, list[float]] = field(default_factory=dict)
    "VMAF of each rung."

    def add(self, way: str, cost: Cost) -> None:
        self.costs.setdefault(way, []).append(cost)

    def wall_s(self, way: str) -> float:
        return statistics.median(cost.wall_s for cost in self.costs[way])


def run(*, quick: bool) -> Report:
    """quick: a film of seconds, once."""
    tools = Tools.find(IntakeSettings())
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        place = Path(folder)
        measured = [
            asyncio.run(measure(film, tools, place, rounds=1 if quick else ROUNDS))
            for film in films(place, tools.ffmpeg, quick=quick)
        ]
    return report(measured, tools)


async def measure(film: Film, tools: Tools, folder: Path, rounds: int) -> Measured:
    """Ours, theirs, ours, theirs, ...; what is slow for a while is slow for neighbours."""
    async with open_farm(folder) as farm:
        plan = await farm.plan(film)
        if plan.duration_s > LONGEST_S:
            raise ValueError(f"{film.name} lasts {plan.duration_s:.0f} s; cut it to at most {LONGEST_S:.0f} s")
        measured = Measured(film, plan)
        await _ours(measured, farm, tools, folder)
        measured.add(APART, await farm.encode_rungs_apart(anew(plan)))  # once: how we cut is our own affair
    await asyncio.to_thread(_theirs, measured, tools, folder)
    for _ in range(rounds - 1):
        async with open_farm(folder) as farm:
            await _ours(measured, farm, tools, folder)
        await asyncio.to_thread(_theirs, measured, tools, folder)
    return measured


async def _ours(measured: Measured, farm: Farm, tools: Tools, folder: Path) -> None:
    plan = anew(measured.plan)
    cost, outputs = await farm.encode(plan)
    measured.add(OURS, cost)
    index = await index_of(plan, outputs, farm.store)  # also checks that all fits together
    for rung in _rungs(plan):
        await write_track(index, rung, farm.store, folder / f"{rung}.mp4")
    await asyncio.to_thread(_judge, measured, OURS, tools, folder)
    await forget(plan, farm.store)


def _theirs(measured: Measured, tools: Tools, folder: Path) -> None:
    peer = PlainFfmpeg(tools.ffmpeg, measured.film.file, measured.plan, folder)
    measured.add(SPLIT, run_at_once([peer.split()]))
    _judge(measured, SPLIT, tools, folder)
    measured.add(IN_TURN, run_in_turn(peer.each_rung()))
    measured.add(AT_ONCE, run_at_once(peer.each_rung()))


def _judge(measured: Measured, way: str, tools: Tools, folder: Path) -> None:
    """Once for each way: the same pictures encoded with the same options are the same again."""
    if way in measured.scores:
        return
    files = [folder / f"{rung}.mp4" for rung in _rungs(measured.plan)]
    assert measured.plan.video is not None
    top = measured.plan.video.rungs[0]
    measured.sizes[way] = sum(file.stat().st_size for file in files)
    measured.scores[way] = [vmaf(tools.ffmpeg, file, measured.film.file, (top.width, top.height)) for file in files]


def _rungs(plan: EncodePlan) -> list[str]:
    assert plan.video is not None
    return [rung.track_id for rung in plan.video.rungs]


def report(measured: Sequence[Measured], tools: Tools) -> Report:
    video = measured[0].plan.video
    assert video is not None
    return Report(
        name="encode",
        about=[
            *(f"input: {each.film.name}: {', '.join(_rungs(each.plan))} and sound" for each in measured),
            f"{tools.encoder_identity}; preset {video.preset}, rates and groups of pictures the same for all",
            f"Marquee: engine up, from the first order to the last result, looking at the original not counted; "
            f"{worker_count(Settings())} workers, {', '.join(str(len(_spans(each))) for each in measured)} chunks",
            "ffmpeg: as many threads as it likes; MP4 files",
            f"medians of {len(measured[0].costs[OURS])} rounds, ratios within each round; "
            f"VMAF at the source's size, every {EVERY_NTH_PICTURE}th picture",
        ],
        columns=COLUMNS,
        rows=[row for each in measured for row in _rows(each)],
        notes=[note for each in measured for note in _notes(each)],
    )


def _spans(measured: Measured) -> Sequence[object]:
    assert measured.plan.video is not None
    return measured.plan.video.spans


def _rows(measured: Measured) -> list[list[str]]:
    ours = measured.costs[OURS]
    return [
        [
            f"{measured.film.name}: {way}",
            f"{measured.wall_s(way):.1f}",
            f"{statistics.median(cost.cpu_s for cost in costs):.1f}",
            ratio([cost.wall_s for cost in ours], [cost.wall_s for cost in costs]),
            ratio([cost.cpu_s for cost in ours], [cost.cpu_s for cost in costs]),
            f"{measured.sizes[way] / 1e6:.2f}" if way in measured.sizes else "",
            " ".join(f"{score:.2f}" for score in measured.scores.get(way, [])),
        ]
        for way, costs in measured.costs.items()
    ]


def _notes(measured: Measured) -> list[str]:
    notes = []
    for way, aim in AIMS.items():
        pairs = zip(measured.costs[OURS], measured.costs[way], strict=True)
        reached = statistics.median(ours.wall_s / theirs.wall_s for ours, theirs in pairs)
        notes.append(f"{measured.film.name}: wall {reached:.2f} of {way}, aim {aim:.2f}: {verdict(reached <= aim)}")
    differences = [ours - theirs for ours, theirs in zip(measured.scores[OURS], measured.scores[SPLIT], strict=True)]
    listed = ", ".join(
        f"{rung} {difference:+.2f}" for rung, difference in zip(_rungs(measured.plan), differences, strict=True)
    )
    notes.append(
        f"{measured.film.name}: VMAF, Marquee less {SPLIT}: {listed}; aim no less than {-VMAF_AIM}: "
        f"{verdict(min(differences) >= -VMAF_AIM)}"
    )
    return notes
