"""What a benchmark prints: one table, under the machine, the input and the versions that made it."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one benchmark."""

    name: str
    about: Sequence[str]
    "Input, versions and method: what a reader needs to judge the numbers."
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    "As many cells as columns."
    notes: Sequence[str] = ()
    "What the numbers say, and what they do not."

    def text(self, machine: str) -> str:
        """In Markdown, so that it can be quoted as it stands."""
        lines = [f"## {self.name}", "", f"- {machine}", *(f"- {line}" for line in self.about), ""]
        lines += table(self.columns, self.rows)
        lines += ["", *(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n".join(lines)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    # Names to the left, numbers to the right.
    lines = [_line([columns, *rows][number], widths) for number in range(len(rows) + 1)]
    rule = "|".join("-" * (width + 2) if not number else "-" * (width + 1) + ":" for number, width in enumerate(widths))
    return [lines[0], f"|{rule}|", *lines[1:]]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if number else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Median and range of the ratios of neighbouring runs: what slows the machine for a while slows both.

    theirs: may have been run fewer times.
    """
    pairs = sorted(one / other for one, other in zip(ours, theirs, strict=False))
    middle = f"{statistics.median(pairs):.2f}"
    return middle if len(pairs) == 1 else f"{middle} ({pairs[0]:.2f}-{pairs[-1]:.2f})"


def verdict(reached: bool) -> str:
    return "reached" if reached else "missed"


def describe_machine(now: datetime | None = None) -> str:
    """One line: day, cores, processor, memory, kernel, and how busy it was before we began."""
    now = now or datetime.now(UTC)
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{now:%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores of {_processor()}, {memory_gib:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}; load before the run: {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    named = (value.strip() for key, value in facts.items() if key.strip() in ("model name", "Hardware", "Model"))
    return next(named, platform.machine())  # arm64 kernels name no model
