"""The project's own source as syntax trees, for the tests that look at how it is written."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("config", "storage", "manifests", "drm", "transcoder", "streamer")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the packages by its dotted name; a package by its own (`streamer.http`)."""
    return {dotted_name(file): ast.parse(file.read_text(), str(file)) for file in source_files()}


def source_files() -> list[Path]:
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))


def dotted_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(name: str) -> Iterator[str]:
    """What a module imports, anywhere in it: `a.b` for `import a.b`, `a.b.c` for `from a.b import c`."""
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(name, node)
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _origin(name: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    is_package = any(other.startswith(f"{name}.") for other in modules())
    parts = name.split(".")
    kept = parts[: len(parts) - node.level + is_package]
    return ".".join([*kept, *(node.module or "").split(".")]).rstrip(".")


def imported_modules(name: str) -> set[str]:
    """Modules of ours that a module imports."""
    found = set()
    for target in imports(name):
        # `from a.b import c` means the module `a.b.c` where there is one, otherwise a name in `a.b`.
        candidates = (target, target.rpartition(".")[0])
        found.update([each for each in candidates if each in modules()][:1])
    return found - {name}


def uses(name: str) -> Iterator[tuple[str, int]]:
    """Names and dotted names that a module uses, such as `os.environ`, with their lines."""
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Attribute | ast.Name):
            yield ast.unparse(node), node.lineno
