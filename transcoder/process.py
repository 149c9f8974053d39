"""One confined process: started, heard, watched and, whatever happens, ended with its whole group.

It runs on the loop that starts it, also in a thread other than the main one. That thread must live as long as the
process, which dies with it (see `Jail.command`).
"""

import asyncio
import math
import os
import re
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from transcoder.errors import Cancelled, FfmpegFailed, FfmpegStalled, JailUnavailable, OutOfRoom, TimedOut
from transcoder.jail import Jail, Limits
from transcoder.jail_launcher import ENVIRONMENT, REFUSED_STATUS

BLOCK_BYTES = 2**16
LONGEST_LINE_BYTES = 4096
LOOK_EVERY_S = 0.05
WORDS_KEPT = 20
STOPPED_FFMPEG = 255
"Status of an ffmpeg that a signal has stopped. It handles SIGXCPU so, and gets no other. EPERM gives the same number."

ADDRESS = re.compile(r" @ 0x[0-9a-f]+")
UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\U0010ffff]")


Hear = Callable[[str], bool | None]
"""Given each line of standard error: True, it was news of progress; False, it was progress, but the same as before;
None, it was something else, and is kept among the last words."""


def never() -> bool:
    return False


def deaf(line: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a process is given, and how long we have patience with it."""

    job: Path
    "The one folder it may write to, and its working folder."
    read_only: tuple[Path, ...] = ()
    "Files it may read besides."
    limits: Limits
    timeout_s: float = math.inf
    "Ended with TimedOut after so long."
    stall_s: float = math.inf
    "Ended with FfmpegStalled after so long without progress or output."
    cancel: Callable[[], bool] = never
    "Asked 20 times a second whether to end it with Cancelled; quick, such as `threading.Event().is_set`."


async def split_lines(blocks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The whole lines of each block, together; of a line without end only the last bytes are kept."""
    rest = b""
    async for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[-LONGEST_LINE_BYTES:]
        yield lines
    yield [rest] if rest else []


class ConfinedProcess:
    def __init__(self, process: asyncio.subprocess.Process, errand: Errand, hear: Hear) -> None:
        self._process = process
        self._errand = errand
        self._hear = hear
        self._words: deque[str] = deque(maxlen=WORDS_KEPT)
        self._last_sign_s = time.monotonic()
        self._listener = asyncio.create_task(self._listen())
        self._watcher = asyncio.create_task(self._watch())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The end of its standard error, without paths and addresses of this machine."""
        text = ADDRESS.sub("", "\n".join(self._words))
        for path in sorted(map(str, self._errand.read_only), key=len, reverse=True):
            text = text.replace(path, Path(path).name)
        return text.replace(f"{self._errand.job}/", "").replace("file:", "")

    async def blocks(self) -> AsyncIterator[bytes]:
        """Standard output as it comes. Ends without an error only if the process did."""
        assert self._process.stdout
        while block := await self._process.stdout.read(BLOCK_BYTES):
            self._last_sign_s = math.inf  # while the reader is busy with a block, the process cannot stall
            yield block
            self._last_sign_s = time.monotonic()
        await self.finish()

    async def finish(self) -> None:
        """Wait for its end; raise what it ended for, if not well."""
        await self._process.wait()
        await asyncio.wait({self._listener})
        for helper in (self._watcher, self._listener):
            if helper.done():
                helper.result()
        status, words, limits = self._status, self.last_words, self._errand.limits
        if status == REFUSED_STATUS and words.startswith("jail: "):
            raise JailUnavailable(words)
        if status == -signal.SIGXCPU or (status == STOPPED_FFMPEG and "not permitted" not in words):
            raise TimedOut(f"took more than {limits.cpu_s} s of the processor")
        if status == -signal.SIGXFSZ:
            raise FfmpegFailed(f"a file outgrew {limits.output_bytes} bytes", status)
        if status and "No space left on device" in words:
            raise OutOfRoom(words, status)
        if status:
            raise FfmpegFailed(words, status)

    @property
    def _status(self) -> int:
        status = self._process.returncode or 0
        return 128 - status if 128 < status < 160 else status  # so bubblewrap says which signal ended its child

    async def end(self) -> None:
        """Kill the whole group, unless it is over, and wait until nothing of it is left."""
        self._kill()
        assert self._process.stdout
        while await self._process.stdout.read(BLOCK_BYTES):
            pass  # a paused pipe would keep the transport open
        self._watcher.cancel()
        await self._process.wait()
        await asyncio.wait({self._listener, self._watcher})
        for helper in (self._watcher, self._listener):
            if not helper.cancelled():
                helper.exception()  # told by finish(), or of no interest any more

    def _kill(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _listen(self) -> None:
        assert self._process.stderr
        try:
            async for lines in split_lines(_blocks_of(self._process.stderr)):
                for line in lines:
                    self._note(UNPRINTABLE.sub("", line.decode(errors="replace")).rstrip())
        except BaseException:
            self._kill()  # nobody would read on, and it would wait for ever
            raise

    def _note(self, line: str) -> None:
        heard = self._hear(line)
        if heard and self._last_sign_s < math.inf:
            self._last_sign_s = time.monotonic()
        if heard is None and line:
            self._words.append(line)

    async def _watch(self) -> None:
        errand, deadline_s = self._errand, time.monotonic() + self._errand.timeout_s
        try:
            while True:
                if errand.cancel():
                    raise Cancelled("cancelled")
                if time.monotonic() > deadline_s:
                    raise TimedOut(f"took longer than {errand.timeout_s:g} s")
                if time.monotonic() - self._last_sign_s > errand.stall_s:
                    raise FfmpegStalled(f"no progress for {errand.stall_s:g} s")
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._kill()


async def _blocks_of(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while block := await reader.read(BLOCK_BYTES):
        yield block


@asynccontextmanager
async def open_confined(
    jail: Jail, command: Sequence[str], errand: Errand, hear: Hear = deaf
) -> AsyncIterator[ConfinedProcess]:
    """Start a program between the walls. Nothing of it is left when the block is left, in whatever way."""
    walled = jail.command(command, job=errand.job, read_only=errand.read_only, limits=errand.limits)
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = ConfinedProcess(
        await asyncio.create_subprocess_exec(
            *walled, stdin=nothing, stdout=pipe, stderr=pipe, cwd=errand.job, env=ENVIRONMENT, start_new_session=True
        ),
        errand,
        hear,
    )
    try:
        yield process
    finally:
        await process.end()
