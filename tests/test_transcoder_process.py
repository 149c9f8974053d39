import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake_helpers import LIMITS, appeared, errand, gone, jail_of, the_jail, the_tools
from transcoder.errors import (
    Cancelled,
    FfmpegFailed,
    FfmpegStalled,
    JailUnavailable,
    TimedOut,
    TranscodeError,
)
from transcoder.jail import Jail, Limits, Wall
from transcoder.process import Errand, open_confined, split_lines

SHELL = ["/bin/bash", "-c"]


async def run(command: list[str], work: Errand, jail: Jail | None = None) -> bytes:
    async with open_confined(jail or the_jail(), command, work) as process:
        return b"".join([block async for block in process.blocks()])


@pytest.fixture
def word() -> str:
    """An argument that no other process has; `sleep` takes it for seconds."""
    return f"300.{time.monotonic_ns()}"


async def test_output_comes_whole(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * 4096)
    assert await run(["/bin/cat", str(tmp_path / "large")], errand(tmp_path)) == bytes(range(256)) * 4096


async def test_its_last_words_name_no_place_of_this_machine(tmp_path: Path) -> None:
    job, original = tmp_path / "job", tmp_path / "original.mp4"
    job.mkdir()
    original.touch()
    words = f"[h264 @ 0x55d0c0ffee00] {job}/made.mp4 from file:{original} is \x1b[31mbad"
    with pytest.raises(FfmpegFailed) as failed:
        await run([*SHELL, f"echo '{words}' >&2; exit 3"], errand(job, read_only=(original,)))
    assert failed.value.last_words == "[h264] made.mp4 from original.mp4 is [31mbad"
    assert failed.value.exit_status == 3


async def test_only_the_last_words_are_kept(tmp_path: Path) -> None:
    with pytest.raises(FfmpegFailed) as failed:
        await run([*SHELL, "for ((n = 1; n <= 1000; n++)); do echo $n >&2; done; exit 1"], errand(tmp_path))
    assert failed.value.last_words.split() == [str(number) for number in range(981, 1001)]


@pytest.mark.parametrize(
    ("script", "patience", "error"),
    [
        pytest.param("sleep", {"timeout_s": 0.3}, TimedOut, id="timeout"),
        pytest.param("sleep", {"stall_s": 0.3}, FfmpegStalled, id="stall"),
        pytest.param("sleep", {"cancel": lambda: True}, Cancelled, id="cancel"),
    ],
)
async def test_patience_that_ends_leaves_no_process(
    script: str, patience: dict[str, object], error: type[TranscodeError], word: str, tmp_path: Path
) -> None:
    with pytest.raises(error):
        await run([f"/bin/{script}", word], errand(tmp_path, **patience))
    assert gone(word, within_s=0)


async def test_a_cancel_takes_effect_at_once(word: str, tmp_path: Path) -> None:
    stop = threading.Event()
    running = asyncio.create_task(run(["/bin/sleep", word], errand(tmp_path, cancel=stop.is_set)))
    await asyncio.to_thread(appeared, word)
    stop.set()
    begun_s = time.monotonic()
    with pytest.raises(Cancelled):
        await running
    assert time.monotonic() - begun_s < 1.0
    assert gone(word, within_s=0)


async def test_a_cancelled_task_leaves_no_process(word: str, tmp_path: Path) -> None:
    running = asyncio.create_task(run(["/bin/sleep", word], errand(tmp_path)))
    await asyncio.to_thread(appeared, word)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert gone(word, within_s=0)


async def test_children_of_the_program_are_ended_too(word: str, tmp_path: Path) -> None:
    loose = Jail()  # behind Landlock a shell could start nothing
    with pytest.raises(TimedOut):
        await run([*SHELL, f"/bin/sleep {word} & /bin/sleep {word}"], errand(tmp_path, timeout_s=0.5), loose)
    assert gone(word)


async def test_an_error_of_the_reader_ends_the_program(word: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_confined(the_jail(), ["/bin/sleep", word], errand(tmp_path)):
            raise ZeroDivisionError
    assert gone(word, within_s=0)


async def test_a_reader_may_leave_while_more_comes_than_the_pipes_hold(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(2**23))
    async with open_confined(the_jail(), ["/bin/cat", str(tmp_path / "large")], errand(tmp_path)) as process:
        blocks = process.blocks()
        assert await anext(blocks)
    assert await asyncio.to_thread(gone, str(tmp_path / "large"), 0)


async def test_a_slow_reader_is_no_stall(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(2**21))
    total = 0
    work = errand(tmp_path, stall_s=0.3)
    async with open_confined(the_jail(), ["/bin/cat", str(tmp_path / "large")], work) as process:
        async for block in process.blocks():
            if not total:
                await asyncio.sleep(0.8)
            total += len(block)
    assert total == 2**21


async def test_an_error_of_the_listener_is_raised(tmp_path: Path) -> None:
    def hear(line: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with open_confined(the_jail(), [*SHELL, "echo >&2; while :; do :; done"], errand(tmp_path), hear) as it:
            await it.finish()


async def test_too_much_of_the_processor_is_told_apart(tmp_path: Path) -> None:
    limits = Limits(cpu_s=1, memory_bytes=2**30, output_bytes=0)
    with pytest.raises(TimedOut, match="more than 1 s of the processor"):
        await run([*SHELL, "while :; do :; done"], errand(tmp_path, limits=limits))


@pytest.mark.parametrize("walls", [("landlock", "namespaces"), ("bubblewrap",)])
async def test_ffmpeg_ends_when_its_processor_time_does(walls: tuple[Wall, ...], tmp_path: Path) -> None:
    limits = Limits(cpu_s=1, memory_bytes=2**32, output_bytes=0)
    endless = ["-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720", "-f", "null", "-"]
    with pytest.raises(TimedOut, match="processor"):
        await run([str(the_tools().ffmpeg), *endless], errand(tmp_path, limits=limits), jail_of(*walls))


@pytest.mark.parametrize("walls", [("landlock", "namespaces"), ("bubblewrap",)])
async def test_a_file_that_outgrows_its_limit_is_told_apart(walls: tuple[Wall, ...], tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(5000))
    limits = Limits(cpu_s=10, memory_bytes=2**30, output_bytes=4096)
    with pytest.raises(FfmpegFailed, match="outgrew 4096 bytes"):
        copy = ["/bin/cp", str(tmp_path / "large"), str(tmp_path / "copy")]
        await run(copy, errand(tmp_path, limits=limits), jail_of(*walls))
    assert (tmp_path / "copy").stat().st_size <= 4096


async def test_memory_is_limited(tmp_path: Path) -> None:
    limits = Limits(cpu_s=10, memory_bytes=2**28, output_bytes=0)
    hungry = "text=0123456789abcdef; for ((n = 0; n < 26; n++)); do text+=$text; done; echo ${#text}"
    with pytest.raises(FfmpegFailed, match="allocate"):
        await run([*SHELL, hungry], errand(tmp_path, limits=limits))


async def test_walls_that_cannot_be_built_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(JailUnavailable, match="no-such-file"):
        await run(["/bin/true"], errand(tmp_path, read_only=(tmp_path / "no-such-file",)))


async def test_no_open_file_of_ours_is_handed_on(tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        used = await run([*SHELL, f": <&{ours.fileno()} && echo open; true"], errand(tmp_path))
    assert used == b""


def test_loops_of_other_threads_run_processes_at_the_same_time(tmp_path: Path) -> None:
    outputs: dict[int, bytes] = {}

    def work(number: int) -> None:
        outputs[number] = asyncio.run(run([*SHELL, f"echo {number}"], errand(tmp_path, limits=LIMITS)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == {number: b"%d\n" % number for number in range(4)}


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_lines_are_the_same_however_the_blocks_fall(blocks: list[bytes]) -> None:
    async def give() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block

    async def collect(source: Callable[[], AsyncIterator[bytes]]) -> list[bytes]:
        return [line async for lines in split_lines(source()) for line in lines]

    whole = b"".join(blocks).split(b"\n")
    assert asyncio.run(collect(give)) == (whole if whole[-1] else whole[:-1])


async def test_a_line_without_end_takes_no_more_memory_than_a_block() -> None:
    async def give() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(100_000)

    lines = [line async for lines in split_lines(give()) for line in lines]
    assert [len(line) for line in lines] == [4096]
