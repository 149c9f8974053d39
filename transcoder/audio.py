"""Sound: one continuous run of the encoder for each track, stored in pieces as it goes."""

from collections.abc import Iterator
from pathlib import Path

from manifests.errors import MediaError
from manifests.fragments import Fragment, FragmentReader, Sample
from manifests.index import Kind
from manifests.init_segments import InitHeader, init_segment
from manifests.segments import media_segment
from transcoder.ffmpeg import Node, foreign_input, output
from transcoder.plan import AudioPlan

AAC_FRAME = 1024
"Samples in a frame of AAC-LC (ISO/IEC 14496-3, 4.5.1.1)."


def audio_output(plan: AudioPlan, original: Path) -> Node:
    """An ffmpeg-python node that writes fragmented MP4 to standard output."""
    sound = foreign_input(original, threads=1, copyts=None)[str(plan.stream)]
    sound = sound.filter("asetpts", f"PTS-{plan.start_s:.6f}/TB")
    # Sound that begins late is led in by silence, what comes before the first picture is cut, and gaps are filled.
    sound = sound.filter("aresample", plan.sample_rate, **{"async": 1, "first_pts": 0, "min_hard_comp": 0.1})
    sound = sound.filter("aformat", channel_layouts={1: "mono", 2: "stereo"}[plan.channels], sample_fmts="fltp")
    if plan.pad_to_s:
        sound = sound.filter("apad", whole_dur=f"{plan.pad_to_s:.6f}")
    return output(
        sound,
        "pipe:1",
        f="mp4",
        acodec="aac",
        **{"b:a": f"{plan.kbps}k"},
        movflags="+delay_moov+default_base_moof",  # without the delay there is no edit list for the priming
        frag_duration=1_000_000,
        map_metadata=-1,
        map_chapters=-1,
    )


class AudioSegmenter:
    """Takes what ffmpeg writes, gives whole segments."""

    def __init__(self, plan: AudioPlan) -> None:
        self._plan = plan
        self._reader = FragmentReader()
        self._samples: list[Sample] = []
        self._data = bytearray()
        self._number = 1
        self._decode_time_ticks = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        for fragment in self._reader.feed(data):
            self._add(fragment)
            while len(self._samples) >= self._plan.segment_frames:
                yield self._cut(self._plan.segment_frames)

    def finish(self) -> Iterator[bytes]:
        """The rest. Raises MediaError if what ffmpeg wrote ends early or holds nothing."""
        self._reader.close()
        if self._samples:
            yield self._cut(len(self._samples))
        if self._number == 1:
            raise MediaError(f"track {self._plan.track_id} has no sound")

    def init(self) -> bytes:
        """The init segment, once something was fed."""
        header = self._reader.header
        if header is None or header.timescale != self._plan.sample_rate:
            raise MediaError(f"track {self._plan.track_id} has no sound of {self._plan.sample_rate} Hz")
        return init_segment(
            InitHeader(
                kind=Kind.AUDIO,
                timescale=header.timescale,
                sample_entry=header.sample_entry,
                language=self._plan.language,
                edit_media_time_ticks=header.media_time_ticks,
            )
        )

    def _add(self, fragment: Fragment) -> None:
        self._samples += fragment.samples
        self._data += fragment.data

    def _cut(self, count: int) -> bytes:
        samples = self._samples[:count]
        size = sum(sample.size_bytes for sample in samples)
        segment = media_segment(self._number, self._decode_time_ticks, samples, bytes(self._data[:size]))
        del self._samples[:count], self._data[:size]
        self._number += 1
        self._decode_time_ticks += sum(sample.duration_ticks for sample in samples)
        return segment
