"""The rules of the house: which room may use which, and what only a few modules may do."""

import ast
import re

import pytest

from tests.source import PACKAGES, imported_modules, imports, modules, uses

MAY_IMPORT = {
    "config": (),
    "storage": ("config",),
    "manifests": (),
    "drm": ("config", "manifests"),
    "transcoder": ("config", "storage", "manifests"),
    "streamer": ("config", "storage", "manifests", "drm", "transcoder"),
}

# From these no file, clock, process, network or chance can be reached.
PURE = {
    *("abc", "array", "base64", "binascii", "bisect", "collections", "contextlib", "copy", "dataclasses", "datetime"),
    *("decimal", "enum", "fractions", "functools", "hashlib", "heapq", "html", "io", "itertools", "json", "math"),
    *("numbers", "operator", "re", "statistics", "string", "struct", "types", "typing", "unicodedata", "uuid", "zlib"),
    *("msgspec", "xml.sax.saxutils"),
    # Building a tree; not reading one, which could be from a file.
    *(
        f"xml.etree.ElementTree.{name}"
        for name in ("Element", "SubElement", "indent", "register_namespace", "tostring")
    ),
}
REACHES_OUT = {"open", "print", "input", "exec", "eval", "io.open", "datetime.now", "datetime.datetime.now", "uuid4"}

STARTS_PROCESSES = re.compile(
    r"(subprocess|multiprocessing|pty)(\.|$)|asyncio\.create_subprocess_|asyncio\.subprocess"
    r"|os\.(fork|forkpty|exec\w+|spawn\w+|posix_spawnp?|system|popen)$|(.*\.)?(ProcessPoolExecutor|subprocess_exec)$"
)
MAY_START_PROCESSES = {
    "transcoder.process": "runs one confined program; only transcoder.ffmpeg may ask it to",
    "transcoder.tools": "asks ffmpeg and ffprobe who they are; nothing foreign is in that question",
    "transcoder.jail": "tries what the kernel offers",
    "transcoder.jail_launcher": "confines itself, then becomes the confined program",
    "streamer.supervisor": "starts the server processes and the engine",
    "streamer.demo": "starts the server that it shows",
}

READS_ENVIRONMENT = re.compile(r"os\.(environb?|getenvb?)(\.|$)")
# Settings come from it too, but pydantic-settings reads those.
MAY_READ_ENVIRONMENT = {
    "streamer.cli": "takes a password from there, which must not stand in arguments",
}
FFMPEG_RUNS = re.compile(r"ffmpeg\.(run|run_async|probe)$|.*\.run_async$")
RUNS_FFMPEG = re.compile(r"transcoder\.process(\.open_confined)?$")
MAY_RUN_FFMPEG = {"transcoder.ffmpeg": "adds the guards that every input needs"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    allowed = (package, *MAY_IMPORT[package])
    wrong = [
        f"{name} imports {target}"
        for name in sorted(modules())
        if _package(name) == package
        for target in sorted(imported_modules(name))
        if _package(target) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_of_a_package_imports_the_tests_or_tools() -> None:
    outside = ("tests", "tools", "bench")
    wrong = [f"{name}: {target}" for name in modules() for target in imports(name) if _package(target) in outside]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle() -> None:
    unfinished: list[str] = []
    finished: set[str] = set()

    def visit(name: str) -> None:
        if name in unfinished:
            pytest.fail(" -> ".join([*unfinished[unfinished.index(name) :], name]), pytrace=False)
        if name not in finished:
            unfinished.append(name)
            for target in sorted(imported_modules(name)):
                visit(target)
            finished.add(unfinished.pop())

    for name in sorted(modules()):
        visit(name)


def test_manifests_reach_nothing_outside_their_arguments() -> None:
    names = [name for name in modules() if _package(name) == "manifests"]
    wrong = [f"{name}: {target}" for name in names for target in imports(name) if not _is_pure(target)]
    wrong += [f"{name}, line {line}: {what}" for name in names for what, line in uses(name) if what in REACHES_OUT]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("forbidden", "allowed"),
    [
        pytest.param(STARTS_PROCESSES, MAY_START_PROCESSES, id="starting processes"),
        pytest.param(RUNS_FFMPEG, MAY_RUN_FFMPEG, id="running ffmpeg"),
        pytest.param(READS_ENVIRONMENT, MAY_READ_ENVIRONMENT, id="reading the environment"),
        pytest.param(FFMPEG_RUNS, {}, id="running ffmpeg by ffmpeg-python, which only compiles arguments"),
    ],
)
def test_few_modules_only_may_do_this(forbidden: re.Pattern[str], allowed: dict[str, str]) -> None:
    users = {name: found for name in modules() if (found := _places(name, forbidden))}
    wrong = [place for name, found in sorted(users.items()) if name not in allowed for place in found]
    assert not wrong, "\n".join(wrong)
    needless = [name for name in allowed if name in modules() and name not in users]
    assert not needless, f"need no exception: {needless}"


def test_http_handlers_live_in_api_modules() -> None:
    outside = [name for name in modules() if not name.endswith("_api")]
    wrong = [f"{name}: {handler}" for name in outside for handler in _handlers(modules()[name])]
    assert not wrong, "\n".join(wrong)


def _places(name: str, pattern: re.Pattern[str]) -> list[str]:
    """Where a module imports or uses something."""
    imported = [f"{name}: imports {target}" for target in imports(name) if pattern.match(target)]
    return imported + [f"{name}, line {line}: {what}" for what, line in uses(name) if pattern.match(what)]


def _package(name: str) -> str:
    return name.partition(".")[0]


def _is_pure(target: str) -> bool:
    parts = target.split(".")
    return parts[0] == "manifests" or any(".".join(parts[:count]) in PURE for count in range(1, len(parts) + 1))


def _handlers(module: ast.Module) -> list[str]:
    """Coroutines that take a request and nothing else, and give a response. (A middleware takes a handler too.)"""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.AsyncFunctionDef)]
    return [function.name for function in functions if _is_handler(function)]


def _is_handler(function: ast.AsyncFunctionDef) -> bool:
    arguments = [argument for argument in function.args.args if argument.arg != "self"]
    taken = [ast.unparse(argument.annotation) for argument in arguments if argument.annotation]
    given = ast.unparse(function.returns) if function.returns else ""
    return taken in (["web.Request"], ["Request"]) and given.endswith("Response")
