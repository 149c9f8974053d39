"""The engine's own process: what it needs before it starts, and what it finds of one that was killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import EncodeSettings, Settings
from storage.local import LocalStore
from transcoder.engine_process import clear_leftovers, engine_folder, worker_count
from transcoder.originals import Originals


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("MARQUEE_INTAKE__FFMPEG", "/none", "/none is not a program; the setting intake.ffmpeg says where ffmpeg is"),
        ("MARQUEE_ENCODE__ATTEMPTS", "0", "setting encode.attempts"),
    ],
)
def test_what_trying_again_cannot_help_ends_with_a_sentence_and_status_78(
    tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    environment = os.environ | {"MARQUEE_DATA_DIR": str(tmp_path), variable: value}
    command = [sys.executable, "-m", "transcoder.engine_process"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


async def test_leftovers_of_killed_tasks_go_and_originals_stay(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    await store.put("originals/film", b"film")
    async with Originals(tmp_path / "work/originals", store, 1000).held("film"):
        pass
    (tmp_path / "work/task-x").mkdir()
    (tmp_path / "work/task-x/v90.mp4").write_bytes(b"half")
    (tmp_path / "work/originals/.film.half").write_bytes(b"half")
    clear_leftovers(tmp_path / "work")
    left = {str(path.relative_to(tmp_path / "work")) for path in (tmp_path / "work").rglob("*") if path.is_file()}
    assert left == {"originals/film", "originals/film.lock"}
    clear_leftovers(tmp_path / "nothing")


def test_there_is_a_worker_for_each_core_that_we_may_use_or_as_many_as_are_wanted(tmp_path: Path) -> None:
    assert worker_count(Settings(data_dir=tmp_path)) == len(os.sched_getaffinity(0))
    assert worker_count(Settings(data_dir=tmp_path, encode=EncodeSettings(workers=7))) == 7
    assert engine_folder(Settings(data_dir=tmp_path)) == tmp_path / "engine"
