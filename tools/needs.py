"""What tests and benchmarks need from the system beside Python packages: found, installed by apt, or named.

Redis is not among them: no suite talks to it yet.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")


@dataclass(frozen=True)
class Need:
    """A program or data that pip does not bring."""

    name: str
    find: Callable[[], Path | None]
    packages: tuple[str, ...]
    "Debian's names."
    suites: str
    "What is left out without it."


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's server programs; the newest where there are several."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    newest_first = sorted(folders, key=lambda folder: float(folder.parent.name.removeprefix("pgsql-")), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        # `initdb` looks for `postgres` beside itself: a link elsewhere on the PATH does not do.
        newest_first.append(Path(on_path).resolve().parent)
    return next((folder for folder in newest_first if _has(folder, "initdb", "postgres", "createdb")), None)


def find_chromium() -> Path | None:
    return _program("chromium", "chromium-browser", "google-chrome")


def find_font() -> Path | None:
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
    return next((font for folder in folders for font in folder.rglob("*.[to]tf")), None)


def find_nginx() -> Path | None:
    return _program("nginx", "/usr/sbin/nginx")


POSTGRESQL = Need("PostgreSQL's server", find_postgres, ("postgresql",), "every test that runs on PostgreSQL")
CHROMIUM = Need("Chromium", find_chromium, ("chromium",), "every test that plays or clicks in a browser")
FONT = Need("a font for Chromium", find_font, ("fonts-dejavu-core",), "every test that plays or clicks in a browser")
NGINX = Need("nginx", find_nginx, ("nginx",), "segments beside nginx")

NEEDS = {"test": (POSTGRESQL, CHROMIUM, FONT), "bench": (NGINX,)}


def missing_from(needs: Sequence[Need]) -> list[Need]:
    return [need for need in needs if need.find() is None]


def install(needs: Sequence[Need]) -> None:
    """Install by apt, where there is apt and we may; anything else is said, not raised."""
    become_root = _become_root()
    if shutil.which("apt-get") is None or become_root is None:
        print("needs: not installed: that takes apt-get, and root or sudo without a password", flush=True)
        return
    packages = [package for need in needs for package in need.packages]
    quietly = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", *APT]
    # A failed update need not stop us: one dead source among many is enough for it.
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        if subprocess.run([*quietly, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
            print(f"needs: apt-get {arguments[0]} failed; see above", flush=True)


def _become_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    silent = [sudo, "-n"] if sudo else None
    if silent and subprocess.run([*silent, "true"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0:
        return silent
    return None


def _program(*names: str) -> Path | None:
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


def _has(folder: Path, *programs: str) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in programs)


def go_on_without(missing: Sequence[Need], *, allow_skips: bool) -> bool:
    """Name what is left out, and say whether that is allowed."""
    for need in missing:
        print(f"needs: without {need.name} (apt install {' '.join(need.packages)}), left out: {need.suites}")
    if missing and not allow_skips:
        print("needs: not allowed; ALLOW_SKIPS=1 goes on without", flush=True)
    return allow_skips or not missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("goal", choices=NEEDS)
    needs = NEEDS[parser.parse_args().goal]
    missing = missing_from(needs)
    if missing:
        print("needs: missing: " + ", ".join(need.name for need in missing), flush=True)
        install(missing)
    allow_skips = os.environ.get("ALLOW_SKIPS") == "1"
    return 0 if go_on_without(missing_from(needs), allow_skips=allow_skips) else 1


if __name__ == "__main__":
    sys.exit(main())
