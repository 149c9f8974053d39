"""Looking at an original: what it holds, or why we do not take it.

What is cheap comes first: our own look at the first bytes, ffprobe on the streams, ffprobe on all packets, and last a
little real decoding by the ffmpeg that is going to encode.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from config.settings import IntakeSettings
from transcoder.errors import FfmpegFailed, OutOfRoom, Reason, Refused, TranscodeError
from transcoder.ffmpeg import arguments, foreign_input, open_ffprobe, output, run_ffmpeg, run_ffprobe
from transcoder.jail import Jail, Limits
from transcoder.original import Original as Original
from transcoder.packets import LISTING, PacketCounter
from transcoder.process import Errand, split_lines
from transcoder.refusals import check_counts, check_sizes, check_whole, refusal_from, tells_of_cut
from transcoder.sniff import begins_as_mp4, sniff
from transcoder.streams import Chosen, Stream, audio_stream, choose, subtitle_stream, tags_of, video_stream
from transcoder.tools import Tools

READ_BYTES_PER_S = 50e6
"Slowest disk that the time limit allows for."
FRAMES_SEEN = 16
FRAMES_TRIED = 8
OUR_FAULT = re.compile(r"Cannot allocate memory|Resource temporarily unavailable")
THREADS = 2


async def probe(path: Path, tools: Tools, jail: Jail, settings: IntakeSettings, job: Path) -> Original:
    """What the original holds.

    path: a file that nothing changes meanwhile.
    job: an empty folder that ffprobe and ffmpeg may use.

    Raises Refused with the reason; other TranscodeErrors where the fault is with us, or trying again may help.
    """
    await asyncio.to_thread(sniff, path)
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    look = _Look(path, tools, jail, settings, job, size_bytes)
    found = await look.describe()
    check_sizes(found, settings)
    chosen = choose(found["streams"])
    counter, cut = await look.count_packets(chosen)
    check_counts(chosen, counter, settings)
    cut_note = check_whole(found["format"], counter.span_s, cut)
    await look.try_decoding(chosen)
    frames = await look.first_frames(chosen.video) if chosen.video else []
    return _original(found["format"], chosen, counter, frames, size_bytes, cut_note)


@dataclass(frozen=True, slots=True)
class _Look:
    path: Path
    tools: Tools
    jail: Jail
    settings: IntakeSettings
    job: Path
    size_bytes: int

    async def describe(self) -> dict[str, Any]:
        """Container and streams, in ffprobe's words."""
        options = ["-show_format", "-show_streams"]
        try:
            return await run_ffprobe(self.path, options, self._errand(), tools=self.tools, jail=self.jail)
        except FfmpegFailed as error:
            raise await self._refusal(error) from error

    async def count_packets(self, chosen: Chosen) -> tuple[PacketCounter, bool]:
        """All packets counted, and whether the demuxer says that the file ends before its time."""
        counter = PacketCounter(None if chosen.video is None else chosen.video["index"])
        cut = False

        def hear(line: str) -> None:
            nonlocal cut
            cut = cut or tells_of_cut(line)

        errand, most = self._errand(), self.settings.max_frame_rate * self.settings.max_duration_s
        try:
            async with open_ffprobe(self.path, LISTING, errand, tools=self.tools, jail=self.jail, hear=hear) as process:
                async for lines in split_lines(process.blocks()):
                    counter.add_lines(lines)
                    if counter.video.packet_count > most:
                        raise Refused(Reason.ABSURD_RATE, f"There are more than {most:.0f} pictures in the file.")
        except FfmpegFailed as error:
            raise await self._refusal(error) from error
        counter.finish()
        return counter, cut

    async def first_frames(self, video: Stream) -> list[dict[str, Any]]:
        """A few decoded pictures; none where this ffprobe has no decoder, as is so for AV1."""
        options = [
            *("-show_frames", "-select_streams", str(video["index"])),
            *("-read_intervals", f"%+#{FRAMES_SEEN}", "-threads", str(THREADS)),
        ]
        try:
            found = await run_ffprobe(self.path, options, self._errand(), tools=self.tools, jail=self.jail)
        except FfmpegFailed:
            return []
        return [frame for frame in found.get("frames", ()) if frame.get("media_type") == "video"]

    async def try_decoding(self, chosen: Chosen) -> None:
        """Decode a little with the program that is going to encode."""
        for stream, kind in ((chosen.video, "pictures"), (chosen.audio[0] if chosen.audio else None, "sound")):
            if stream is None:
                continue
            some = foreign_input(self.path, threads=THREADS)[str(stream["index"])]
            limit = {"frames:v" if stream is chosen.video else "frames:a": FRAMES_TRIED}
            given = arguments(output(some, "pipe:1", f="null", **limit), filter_threads=1)
            try:
                result = await run_ffmpeg(given, self._errand(encoding=True), tools=self.tools, jail=self.jail)
            except FfmpegFailed as error:
                if isinstance(error, OutOfRoom) or OUR_FAULT.search(error.last_words):
                    raise
                raise Refused(Reason.DAMAGED, f"The {kind} cannot be decoded: {_last_line(error)}.") from error
            if not result.progress.frame and not result.progress.out_time_us:
                raise Refused(Reason.DAMAGED, f"The {kind} cannot be decoded.")

    async def _refusal(self, error: FfmpegFailed) -> TranscodeError:
        is_mp4 = await asyncio.to_thread(begins_as_mp4, self.path)
        return refusal_from(error, self.settings, is_mp4=is_mp4)

    def _errand(self, *, encoding: bool = False) -> Errand:
        patience_s = self.settings.probe_timeout_s + self.size_bytes / READ_BYTES_PER_S
        for_job = Limits.for_encode if encoding else Limits.for_probe
        return Errand(
            job=self.job,
            read_only=(self.path,),
            limits=for_job(self.settings, cpu_s=patience_s),
            timeout_s=patience_s,
        )


def _original(
    container: Stream,
    chosen: Chosen,
    counter: PacketCounter,
    frames: list[dict[str, Any]],
    size_bytes: int,
    cut_note: str,
) -> Original:
    video = video_stream(chosen.video, counter.video, frames) if chosen.video else None
    heard = [stream for stream in chosen.audio if counter.of(stream).shown_count]
    silent = [stream for stream in chosen.audio if not counter.of(stream).shown_count]
    audio = tuple(audio_stream(stream, counter.of(stream)) for stream in heard)
    if video is None:
        audio = tuple(replace(stream, title="") for stream in audio)  # Ogg has the song's title there
    return Original(
        container=str(container.get("format_name", "")),
        size_bytes=size_bytes,
        duration_s=video.duration_s if video else max(stream.duration_s for stream in audio),
        video=video,
        audio=audio,
        subtitles=tuple(subtitle_stream(stream) for stream in chosen.subtitles),
        cover=chosen.cover["index"] if chosen.cover else None,
        tags=tags_of(container, chosen.audio if video is None else ()),
        notes=(
            *chosen.notes,
            *(f"Stream {stream['index']} is left out: it is empty." for stream in silent),
            *filter(None, [cut_note]),
        ),
    )


def _last_line(error: FfmpegFailed) -> str:
    return error.last_words.splitlines()[-1].rstrip(".") if error.last_words else str(error)
