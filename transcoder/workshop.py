"""What a task works with on its host: a folder of its own, the original at hand, ffmpeg behind its walls."""

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import EncodeSettings, IntakeSettings
from storage.store import ObjectStore
from transcoder.ffmpeg import Node, Progress, arguments, open_ffmpeg, run_ffmpeg
from transcoder.jail import Jail, Limits
from transcoder.originals import Originals
from transcoder.process import Errand
from transcoder.tools import Tools

CPU_PER_MEDIA_S = 400.0
"Processor time that a second of media may cost, far above what any preset takes."
LEAST_CPU_S = 300.0
TASK_FOLDER = "task-"
"How the names of the tasks' own folders begin."


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything that tasks share; a value, made anew for each task."""

    folder: Path
    store: ObjectStore
    tools: Tools
    jail: Jail
    intake: IntakeSettings
    encode: EncodeSettings

    @asynccontextmanager
    async def job_folder(self) -> AsyncIterator[Path]:
        """A folder that goes when the task does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=TASK_FOLDER, dir=self.folder) as folder:
            yield Path(folder)

    def original(self, original_id: str) -> AbstractAsyncContextManager[Path]:
        """Path of an original on this host. Raises StorageError."""
        return Originals(self.folder / "originals", self.store, self.encode.originals_bytes).held(original_id)

    async def run(
        self, outputs: Sequence[Node], job: Path, original: Path, on_time: Callable[[float], None], media_s: float
    ) -> None:
        """Run ffmpeg to its end.

        on_time: called with the time that was reached in the output, in seconds.
        media_s: how much media that is; bounds the time of the processor.
        """
        await run_ffmpeg(
            arguments(*outputs, filter_threads=1),
            self._errand(job, original, media_s),
            tools=self.tools,
            jail=self.jail,
            on_progress=_seconds(on_time),
        )

    async def stream(
        self, output: Node, job: Path, original: Path, on_time: Callable[[float], None], media_s: float
    ) -> AsyncGenerator[bytes, None]:
        """The same, for an output that comes piece by piece."""
        errand = self._errand(job, original, media_s)
        given = arguments(output, filter_threads=1)
        async with open_ffmpeg(
            given, errand, tools=self.tools, jail=self.jail, on_progress=_seconds(on_time)
        ) as running:
            async for block in running.blocks():
                yield block

    def _errand(self, job: Path, original: Path, media_s: float) -> Errand:
        return Errand(
            job=job,
            read_only=(original,),
            limits=Limits.for_encode(self.intake, LEAST_CPU_S + CPU_PER_MEDIA_S * media_s),
            stall_s=self.encode.stall_s,
        )


def _seconds(on_time: Callable[[float], None]) -> Callable[[Progress], None]:
    return lambda progress: on_time(progress.out_time_us / 1e6)
