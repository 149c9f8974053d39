"""`python -m bench [NAME ...]`: measure, and print one table for each benchmark."""

import argparse
import signal
import sys
from importlib import import_module
from subprocess import CalledProcessError

from bench.processes import DidNotStart
from bench.report import Report, describe_machine
from transcoder.errors import TranscodeError

BENCHMARKS = ("encode", "manifests", "delivery")
"Modules here that have `run(*, quick: bool) -> Report`; none is imported before its turn, since that takes time."


def run(name: str, *, quick: bool) -> str:
    machine = describe_machine()
    report = import_module(f"bench.{name}").run(quick=quick)
    assert isinstance(report, Report)
    return report.text(machine)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"{', '.join(BENCHMARKS)}; without: all")
    parser.add_argument("--quick", action="store_true", help="tiny: shows that all runs; the numbers mean nothing")
    given = parser.parse_args()
    if unknown := set(given.name) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that servers and engine end with us
    for name in given.name or BENCHMARKS:
        try:
            print(run(name, quick=given.quick), end="\n\n", flush=True)
        except (DidNotStart, TranscodeError, ValueError, CalledProcessError) as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
