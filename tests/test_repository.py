"""What must be true of the repository beside its code."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.source import PACKAGES, ROOT, modules

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINNED = sorted(file.stem for file in ROOT.glob("requirements*.txt"))
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ \\]+)[^\\]*\\?$", re.MULTILINE)

# What tools leave in the tree; the same as .gitignore says.
NOT_OURS = {
    *(".git", ".venv", ".data", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"),
    *("node_modules", "vendor", "build", "dist"),
}
MACHINE_PATH = re.compile(r"(?<![\w.}/-])/(?:home|root|work|Users|opt|mnt)/\w[\w.-]*")
SILENCED = re.compile(r"#\s*noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?")


@pytest.mark.parametrize("stem", PINNED)
def test_every_pin_has_hashes_and_no_host(stem: str) -> None:
    text = (ROOT / f"{stem}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry for entry in entries if not PIN.match(entry.splitlines()[0])] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


@pytest.mark.parametrize("stem", PINNED)
def test_pins_satisfy_what_they_were_compiled_from(stem: str) -> None:
    pins = _pins(stem)
    for requirement in _requirements(ROOT / f"{stem}.in"):
        assert requirement.specifier.contains(pins[_normal(requirement.name)], prereleases=True), str(requirement)


def test_one_environment_is_never_asked_for_two_versions() -> None:
    together = [_pins(stem) for stem in ("requirements", "requirements-build", "requirements-dev")]
    for name in set().union(*together):
        assert len({pins[name] for pins in together if name in pins}) == 1, name


def test_the_installed_distribution_asks_for_requirements_in() -> None:
    assert {Requirement(line) for line in requires("marquee") or ()} == set(_requirements(ROOT / "requirements.in"))


def test_what_builds_the_distribution_is_pinned_the_same_twice() -> None:
    wanted = set(map(Requirement, PYPROJECT["build-system"]["requires"]))
    assert wanted == set(_requirements(ROOT / "requirements-build.in"))


def test_the_package_lock_names_no_host_and_has_all_sums() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_no_file_names_a_path_of_some_machine() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}, line {number}: {found[0]}"
        for file, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := MACHINE_PATH.search(line))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_says_that_it_is_typed() -> None:
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_every_package_is_in_the_wheel() -> None:
    assert tuple(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


def test_the_changelog_begins_with_our_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == PYPROJECT["project"]["version"]
    assert sorted(headings, key=Version, reverse=True) == headings


def test_every_line_without_a_rule_says_why() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}, line {number}: {line.strip()}"
        for file, text in _texts(".py")
        for number, line in enumerate(text.splitlines(), 1)
        if SILENCED.search(line) and not _reason(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_file_without_a_rule_says_why() -> None:
    section = re.search(r"^\[tool\.ruff\.lint\.per-file-ignores\]\n(.*?)\n\n", _text("pyproject.toml"), re.M | re.S)
    assert section
    assert [line for line in section[1].splitlines() if "  # " not in line] == []
    assert PYPROJECT["tool"]["ruff"]["lint"].get("ignore", []) == []


def _reason(line: str) -> str:
    """What the comment says besides switching a checker off."""
    comment = line[line.index("#") :]
    return SILENCED.sub("", comment).strip(" #-:")


def _pins(stem: str) -> dict[str, str]:
    return {_normal(pin["name"]): pin["version"] for pin in PIN.finditer(_text(f"{stem}.txt"))}


def _requirements(file: Path) -> Iterator[Requirement]:
    lines = (line.strip() for line in file.read_text().splitlines())
    return (Requirement(line) for line in lines if line and line[0] not in "#-")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _text(name: str) -> str:
    return (ROOT / name).read_text()


def _texts(suffix: str = "") -> Iterator[tuple[Path, str]]:
    """All text files of ours whose names end so."""
    for folder in (ROOT, *(path for path in ROOT.iterdir() if path.is_dir() and path.name not in NOT_OURS)):
        for file in folder.iterdir() if folder == ROOT else folder.rglob("*"):
            if file.is_file() and file.name.endswith(suffix) and not NOT_OURS & set(file.relative_to(ROOT).parts):
                try:
                    yield file, file.read_text()
                except UnicodeDecodeError:
                    continue
