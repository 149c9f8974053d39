"""The peer of our encodes: ffmpeg as people run it by hand, making the same ladder from the same plan."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transcoder.plan import AudioPlan, EncodePlan, Rung, VideoPlan


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took."""

    wall_s: float
    cpu_s: float
    "User and system, of all its processes."


@dataclass(frozen=True, slots=True)
class PlainFfmpeg:
    """Command lines for one film. Threads are left to ffmpeg, which takes what it thinks best."""

    program: Path
    film: Path
    plan: EncodePlan
    "With pictures that are neither interlaced nor HDR: there would be no one plain way to treat those."
    folder: Path
    "For what is made: `{track_id}.mp4`."

    def split(self) -> list[str]:
        """One process: decodes once, and encodes all rungs and the sound."""
        video = self._video()
        return self._command(video.rungs, self.plan.audio)

    def each_rung(self) -> list[list[str]]:
        """A process for each rung, each of which decodes for itself; the first one makes the sound too."""
        rungs = self._video().rungs
        return [self._command([rung], [] if number else self.plan.audio) for number, rung in enumerate(rungs)]

    def _video(self) -> VideoPlan:
        video = self.plan.video
        if video is None or video.deinterlace or video.tone_map:
            raise ValueError(f"{self.film.name} is no film with plain pictures; give another one")
        return video

    def _command(self, rungs: Sequence[Rung], sound: Sequence[AudioPlan]) -> list[str]:
        video = self._video()
        names = [f"[s{number}]" for number in range(len(rungs))]
        graph = [f"[0:{video.stream}]split={len(rungs)}{''.join(names)}"]
        graph += [
            f"{name}scale={rung.width}:{rung.height}:flags=bicubic,setsar=1,format=yuv420p[{rung.track_id}]"
            for name, rung in zip(names, rungs, strict=True)
        ]
        command = [str(self.program), "-nostdin", "-y", "-loglevel", "error", "-i", str(self.film)]
        command += ["-filter_complex", ";".join(graph)]
        for rung in rungs:
            command += ["-map", f"[{rung.track_id}]", *_x264(video, rung), str(self.folder / f"{rung.track_id}.mp4")]
        for run in sound:
            command += ["-map", f"0:{run.stream}", *_aac(run), str(self.folder / f"{run.track_id}.mp4")]
        return command


def _x264(video: VideoPlan, rung: Rung) -> list[str]:
    return [
        *("-c:v", "libx264", "-preset", video.preset, "-profile:v", "high"),
        *("-crf", str(rung.crf), "-maxrate", f"{rung.max_kbps}k", "-bufsize", f"{2 * rung.max_kbps}k"),
        # The same groups of pictures: closed, all of one length.
        *("-g", str(video.segment_frames), "-keyint_min", str(video.segment_frames), "-sc_threshold", "0"),
        *("-flags", "+cgop"),
    ]


def _aac(run: AudioPlan) -> list[str]:
    return ["-c:a", "aac", "-b:a", f"{run.kbps}k", "-ac", str(run.channels), "-ar", str(run.sample_rate)]


def run_at_once(commands: Sequence[Sequence[str]]) -> Cost:
    """Raises subprocess.CalledProcessError."""
    started_s, cpu_s = time.perf_counter(), 0.0
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for command in commands]
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_s += usage.ru_utime + usage.ru_stime
    wall_s = time.perf_counter() - started_s
    for process in processes:
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return Cost(wall_s, cpu_s)


def run_in_turn(commands: Sequence[Sequence[str]]) -> Cost:
    """Raises subprocess.CalledProcessError."""
    costs = [run_at_once([command]) for command in commands]
    return Cost(sum(cost.wall_s for cost in costs), sum(cost.cpu_s for cost in costs))
