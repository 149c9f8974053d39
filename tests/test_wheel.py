"""A wheel built from the clone serves the same pages where it is installed."""

import asyncio
import subprocess
import sys
import sysconfig
from pathlib import Path

import aiohttp
import pytest

from hatch_build import ROOT
from tools.own_server import own_server

PAGES = {"/": "index.html", "/studio": "studio.html"}
WEB = ROOT / "streamer/web"


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def build_wheel(into: Path) -> Path:
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", into, ROOT, folder=into)
    (wheel,) = into.glob("marquee-*.whl")
    return wheel


def install(wheel: Path, into: Path) -> Path:
    """A fresh environment that has the wheel and our dependencies, but not the clone; gives its interpreter."""
    run(sys.executable, "-m", "venv", "--without-pip", into, folder=into.parent)
    python = into / "bin/python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, folder=into)
    (packages,) = into.glob("lib/python*/site-packages")
    # A folder named in a `.pth` file is searched, but its own `.pth` files, of which one names the clone, are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


async def served(address: str, paths: list[str]) -> dict[str, bytes]:
    async with aiohttp.ClientSession() as session:
        answers = {}
        for path in paths:
            async with session.get(address + path) as response:
                assert response.status == 200, path
                answers[path] = await response.read()
        return answers


@pytest.mark.slow
def test_a_wheel_installed_elsewhere_serves_the_same_pages(tmp_path: Path) -> None:
    python = install(build_wheel(tmp_path), tmp_path / "environment")
    imported = run(python, "-c", "import streamer; print(streamer.__file__)", folder=tmp_path)
    assert Path(imported).is_relative_to(tmp_path)
    files = {f"/web/{file.relative_to(WEB)}": file for file in WEB.rglob("*") if file.suffix in (".js", ".css", ".svg")}
    expected = files | {path: WEB / name for path, name in PAGES.items()}
    with own_server(tmp_path / "server", python=str(python)) as server:
        answers = asyncio.run(served(server.address, list(expected)))
    assert "/web/vendor/shaka-player.js" in answers
    for path, file in expected.items():
        assert answers[path] == file.read_bytes(), path
