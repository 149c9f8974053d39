"""Delivery: signed segments per second of our real server beside nginx with `secure_link`, on the same bytes."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.load import Outcome
from bench.processes import DidNotStart, tree_cpu_s
from bench.report import Report, ratio
from bench.servers import CHUNK_SEGMENTS, VIEWERS, Server, make_segments, marquee, nginx, nginx_version

SIZES = {64 * 2**10: 128, 512 * 2**10: 64, 2 * 2**20: 32}
"Bytes of a segment, and how many there are of it."
ROUNDS = 5
SECONDS = 3.0
"Of each run."
CONNECTIONS = 16
ROUND_UP_S = 60.0
"What a load generator may take beyond its time."
BUSY = 0.9
"Share of its core from which on the load generator may be what limits."

COLUMNS = (
    *("segment, server", "segments/s", "Gbit/s", "CPU s/GB", "p50 ms", "p99 ms", "client's core"),
    *("Marquee's rate / this", "Marquee's CPU per byte / this"),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run against one server."""

    outcome: Outcome
    server_cpu_s: float

    @property
    def rate(self) -> float:
        return self.outcome.requests / self.outcome.wall_s

    @property
    def gbps(self) -> float:
        return self.outcome.received_bytes * 8 / self.outcome.wall_s / 1e9

    @property
    def cpu_s_per_gb(self) -> float:
        return self.server_cpu_s / (self.outcome.received_bytes / 1e9)

    @property
    def client_share(self) -> float:
        return self.outcome.cpu_s / self.outcome.wall_s

    def latency_ms(self, quantile: int) -> float:
        """quantile: in percent."""
        ordered = sorted(self.outcome.latencies_s)
        return ordered[len(ordered) * quantile // 100] * 1000


def run(*, quick: bool) -> Report:
    """quick: few segments, one moment."""
    rounds, seconds = (1, 0.5) if quick else (ROUNDS, SECONDS)
    sizes = dict.fromkeys(SIZES, CHUNK_SEGMENTS) if quick else SIZES
    rungs = [make_segments(size_bytes, count) for size_bytes, count in sizes.items()]
    cores = sorted(os.sched_getaffinity(0))
    server_core, client_core = ({cores[0]}, {cores[1]}) if len(cores) > 1 else (None, None)
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        place = Path(folder)
        with (
            marquee(place / "marquee", rungs, server_core) as ours,
            nginx(place / "nginx", rungs, server_core) as theirs,
        ):
            measured = {
                size_bytes: measure(size_bytes, (ours, theirs), place, client_core, rounds, seconds)
                for size_bytes in sizes
            }
    return Report(
        name="delivery",
        about=[
            f"input: {', '.join(f'{count} segments of {_size(size)}' for size, count in sizes.items())}; random bytes",
            f"Marquee: one server process with its defaults, aiohttp {aiohttp.__version__}, local store, {VIEWERS} "
            f"playback tokens; nginx: {nginx_version()}, one worker, secure_link, tuned for loopback; both write a log",
            f"plain HTTP over loopback, {CONNECTIONS} connections; "
            + ("the server on one core and the client on another" if server_core else "server and client on ONE core"),
            f"medians of {rounds} interleaved rounds of {seconds:g} s, warm; ratios within each round",
            "client: bench/load.py, which discards bodies in the kernel; near 100% of its core it is the limit",
        ],
        columns=COLUMNS,
        rows=[row for size_bytes, runs in measured.items() for row in _rows(size_bytes, runs)],
        notes=_notes(measured),
    )


Runs = dict[str, list[Measured]]
"By the server's name."


def measure(
    size_bytes: int, servers: Sequence[Server], folder: Path, core: Collection[int] | None, rounds: int, seconds: float
) -> Runs:
    runs: Runs = {server.name: [] for server in servers}
    for server in servers:
        ask(server, size_bytes, folder, core, seconds / 3)  # to be warm
    for _ in range(rounds):
        for server in servers:
            runs[server.name].append(ask(server, size_bytes, folder, core, seconds))
    return runs


def ask(server: Server, size_bytes: int, folder: Path, core: Collection[int] | None, seconds: float) -> Measured:
    """Run the load generator once. Raises DidNotStart if anything went wrong there."""
    targets = folder / "targets"
    targets.write_text("\n".join(server.targets[size_bytes]))
    command = [sys.executable, "-m", "bench.load", str(server.port), str(targets), str(CONNECTIONS), str(seconds)]
    cpu_s = tree_cpu_s(server.pid)
    client = subprocess.Popen(command, stdout=subprocess.PIPE)
    if core is not None:
        os.sched_setaffinity(client.pid, core)
    said, _ = client.communicate(timeout=seconds + ROUND_UP_S)
    if client.returncode:
        raise DidNotStart(f"the load generator ended with status {client.returncode}")
    outcome = Outcome(**json.loads(said))
    if outcome.errors or not outcome.requests:
        raise DidNotStart(f"{server.name} made {outcome.errors} errors and {outcome.requests} good answers")
    return Measured(outcome, tree_cpu_s(server.pid) - cpu_s)


def _rows(size_bytes: int, runs: Runs) -> list[list[str]]:
    ours = next(iter(runs.values()))
    return [
        [
            f"{_size(size_bytes)}, {name}",
            f"{_median([run.rate for run in each]):.0f}",
            f"{_median([run.gbps for run in each]):.2f}",
            f"{_median([run.cpu_s_per_gb for run in each]):.2f}",
            f"{_median([run.latency_ms(50) for run in each]):.2f}",
            f"{_median([run.latency_ms(99) for run in each]):.2f}",
            f"{_median([run.client_share for run in each]):.0%}",
            ratio([run.rate for run in ours], [run.rate for run in each]),
            ratio([run.cpu_s_per_gb for run in ours], [run.cpu_s_per_gb for run in each]),
        ]
        for name, each in runs.items()
    ]


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _notes(measured: dict[int, Runs]) -> list[str]:
    limited = [
        f"{_size(size_bytes)} from {name}"
        for size_bytes, runs in measured.items()
        for name, each in runs.items()
        if _median([run.client_share for run in each]) > BUSY
    ]
    return [f"the client was the limit, or near it: {', '.join(limited)}"] if limited else []


def _size(size_bytes: int) -> str:
    return f"{size_bytes // 2**10} KiB" if size_bytes < 2**20 else f"{size_bytes // 2**20} MiB"
