"""The benchmarks, tiny: that they run from end to end and say what they measured. Nothing here looks at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import delivery, encode, manifests
from bench.films import REAL_FILM, Film, real_film
from bench.plain_ffmpeg import run_at_once, run_in_turn
from bench.processes import DidNotStart, running, tree_cpu_s, wait_until
from bench.report import Report, describe_machine, ratio, table
from tests.needed import needed
from tests.source import ROOT
from tools.needs import NGINX


def names(report: Report) -> list[str]:
    """First cells of the rows, after a look at the whole."""
    assert {len(row) for row in report.rows} == {len(report.columns)}
    assert any(line.startswith("input: ") for line in report.about)
    text = report.text("a machine").splitlines()
    assert text[0] == f"## {report.name}"
    assert len([line for line in text if line.startswith("| ")]) == 1 + len(report.rows)
    return [row[0] for row in report.rows]


@pytest.mark.slow
def test_an_encode_is_measured_in_all_ways_beside_plain_ffmpeg() -> None:
    report = encode.run(quick=True)
    ways = (encode.OURS, encode.APART, encode.SPLIT, encode.IN_TURN, encode.AT_ONCE)
    assert names(report) == [f"generated 360p25, 3 s: {way}" for way in ways]
    scores = {way: [float(score) for score in row[-1].split()] for way, row in zip(ways, report.rows, strict=True)}
    assert [len(scores[way]) for way in ways] == [2, 0, 2, 0, 0]
    assert all(20 < score <= 100 for row in scores.values() for score in row)
    assert [note for note in report.notes if "aim" in note] == list(report.notes)


def test_manifests_are_measured_with_the_index() -> None:
    assert names(manifests.run(quick=True)) == [
        "HLS multivariant playlist",
        "HLS media playlist, pictures",
        "HLS media playlist, sound",
        "DASH MPD",
        "index read",
        "index written",
    ]


def test_both_servers_deliver_segments_of_all_sizes() -> None:
    needed(NGINX)
    report = delivery.run(quick=True)
    sizes = ("64 KiB", "512 KiB", "2 MiB")
    assert names(report) == [f"{size}, {server}" for size in sizes for server in ("Marquee", "nginx")]
    assert all(float(cell) > 0 for row in report.rows for cell in row[1:3])


def test_a_film_of_ones_own_is_used_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.mp4"
    with pytest.raises(ValueError, match=r"own\.mp4, and there is no such file"):
        real_film({"BENCH_MEDIA": str(own)})
    own.touch()
    assert real_film({"BENCH_MEDIA": str(own)}) == Film("own.mp4", own)


def test_without_a_film_of_ones_own_the_one_beside_the_clone_is_used_where_there_is_one() -> None:
    film = real_film({})
    assert (film is None) != REAL_FILM.is_file()


def test_an_unknown_benchmark_is_refused_with_the_names_of_all() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "decode"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no benchmark decode; there are encode, manifests, delivery" in done.stderr


def test_a_table_is_markdown_with_its_names_to_the_left_and_its_numbers_to_the_right() -> None:
    assert table(("what", "number"), [("a", "1"), ("longer", "22")]) == [
        "| what   | number |",
        "|--------|-------:|",
        "| a      |      1 |",
        "| longer |     22 |",
    ]


def test_ratios_are_of_neighbouring_runs() -> None:
    assert ratio([1.0, 20.0, 3.0], [2.0, 10.0, 3.0]) == "1.00 (0.50-2.00)"
    assert ratio([1.0], [4.0]) == "0.25"


def test_the_machine_is_described_in_one_line() -> None:
    line = describe_machine()
    assert " cores of " in line and " GiB, Linux " in line and "\n" not in line


def test_the_processor_time_of_ended_grandchildren_counts(tmp_path: Path) -> None:
    grandchild = "import time\nwhile time.process_time() < 0.3: pass"
    child = (
        f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {grandchild!r}]);"
        "print('done', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    with log.open("wb") as file, running([sys.executable, "-c", child], file) as process:
        wait_until(lambda: b"done" in log.read_bytes(), process, 30, log)
        assert tree_cpu_s(process.pid) >= 0.3


def test_a_program_that_ends_before_it_is_ready_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        log.open("wb") as file,
        running([sys.executable, "-c", "raise SystemExit('no port is free')"], file) as process,
        pytest.raises(DidNotStart, match="no port is free"),
    ):
        wait_until(lambda: False, process, 30, log)


def test_the_cost_of_commands_is_that_of_all_and_one_that_fails_is_no_cost() -> None:
    busy = [sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"]
    assert run_at_once([busy, busy]).cpu_s >= 0.4
    assert run_in_turn([busy, busy]).wall_s >= 0.4
    with pytest.raises(subprocess.CalledProcessError):
        run_at_once([[sys.executable, "-c", "raise SystemExit(3)"]])
