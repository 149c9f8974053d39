"""The build hooks: what the wheel brings along."""

import json
import re
import shutil
from pathlib import Path

import pytest

from hatch_build import ROOT, SHIPPED, STAMP, DependenciesHook, bring

VENDOR = ROOT / "streamer/web/vendor"


def test_what_is_there_already_is_not_brought_again(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(VENDOR, tmp_path / "vendor"))
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    bring(SHIPPED, folder)
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before


@pytest.mark.slow
def test_a_damaged_file_is_brought_anew(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(VENDOR, tmp_path / "vendor"))
    (folder / "shaka-player.js").write_text("nothing")
    bring(SHIPPED, folder)
    assert (folder / "shaka-player.js").read_bytes() == (VENDOR / "shaka-player.js").read_bytes()
    assert sorted(file.name for file in folder.iterdir()) == sorted([*SHIPPED, STAMP])


def test_the_lock_file_names_sums_and_no_host() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
    assert not any("resolved" in package for package in locked.values())


def test_the_wheel_asks_for_what_requirements_in_names() -> None:
    metadata: dict[str, list[str]] = {}
    DependenciesHook(str(ROOT), {}).update(metadata)
    names = {re.split(r"[\[<>=]", line)[0] for line in metadata["dependencies"]}
    assert {"aiohttp", "distributed", "boto3"} <= names
    assert not any(line.startswith("#") for line in metadata["dependencies"])
