"""Set-up does each thing once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.setup import Step, carry_out


def step_that_counts(folder: Path) -> Step:
    line = f"open({str(folder / 'count')!r}, 'a').write('x')"
    inputs, products = (str(folder / "input"),), (str(folder / "count"),)
    return Step(folder / "environment", "count", ((sys.executable, "-c", line),), inputs, products)


def test_a_step_runs_again_only_when_an_input_changed_or_its_product_is_gone(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("one")
    step = step_that_counts(tmp_path)
    carry_out(step)
    carry_out(step)
    assert (tmp_path / "count").read_text() == "x"
    (tmp_path / "input").write_text("two")
    carry_out(step)
    assert (tmp_path / "count").read_text() == "xx"
    (tmp_path / "count").unlink()
    carry_out(step)
    assert (tmp_path / "count").read_text() == "x"


def test_a_step_that_failed_runs_again(tmp_path: Path) -> None:
    step = Step(tmp_path, "fail", ((sys.executable, "-c", "raise SystemExit(3)"),))
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            carry_out(step)
