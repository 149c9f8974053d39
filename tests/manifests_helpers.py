"""Small media made by ffmpeg, and tracks made of them by our own code."""

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg

from manifests.dash import mpd
from manifests.facts import ChunkFacts, scan_chunk
from manifests.fragments import Fragment, FragmentReader, Sample, SourceHeader
from manifests.hls import media_playlist, multivariant_playlist
from manifests.index import Chunk, Kind, Rate, Run, TitleIndex, Track
from manifests.index_build import TrackLabel, join_facts, join_text
from manifests.init_segments import InitHeader, init_segment
from manifests.presentation import Presentation, select_tracks
from manifests.segments import aligned, media_segment
from manifests.webvtt import parse_webvtt, segment_document

FRAGMENTED = ("-movflags", "+cmaf+delay_moov")
PICTURES = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=2")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2")
X264 = ("-c:v", "libx264", "-bf", "2", "-g", "25", "-sc_threshold", "0", "-flags", "+cgop+bitexact")


@cache
def ffmpeg_file(*arguments: str) -> bytes:
    """The MP4 file that ffmpeg writes with these arguments, fragmented."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "out.mp4"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *arguments, *FRAGMENTED, str(file)]
        subprocess.run(command, check=True, timeout=60)
        return file.read_bytes()


def video_file() -> bytes:
    """Two seconds of 25 pictures, with B-frames, a closed group of pictures every second."""
    return ffmpeg_file(*PICTURES, *X264, "-video_track_timescale", "90000")


def audio_file() -> bytes:
    """Two seconds of a tone at 48 kHz: 96000 samples and the encoder's priming."""
    return ffmpeg_file(*SOUND, "-ac", "2", "-c:a", "aac", "-frag_duration", "500000")


def read_fragments(file: bytes) -> tuple[SourceHeader, list[Fragment]]:
    reader = FragmentReader()
    fragments = reader.feed(file)
    reader.close()
    assert reader.header is not None
    return reader.header, fragments


@cache
def repackaged_video() -> tuple[bytes, bytes]:
    """Init segment and stored object: one segment for each group of pictures."""
    header, fragments = read_fragments(video_file())
    init = init_segment(
        InitHeader(
            kind=Kind.VIDEO,
            timescale=header.timescale,
            sample_entry=header.sample_entry,
            width=header.width,
            height=header.height,
            edit_media_time_ticks=header.media_time_ticks,
        )
    )
    segments, decode_time = [], 0
    for number, fragment in enumerate(fragments, 1):
        segments.append(
            media_segment(number, decode_time, aligned(fragment.samples, header.media_time_ticks), fragment.data)
        )
        decode_time += sum(sample.duration_ticks for sample in fragment.samples)
    return init, b"".join(segments)


@cache
def repackaged_audio() -> tuple[bytes, bytes]:
    """Init segment with an edit list, and a stored object of segments of 40 AAC frames."""
    header, fragments = read_fragments(audio_file())
    init = init_segment(
        InitHeader(
            kind=Kind.AUDIO,
            timescale=header.timescale,
            sample_entry=header.sample_entry,
            language="en",
            edit_media_time_ticks=header.media_time_ticks,
        )
    )
    samples = [sample for fragment in fragments for sample in fragment.samples]
    data = b"".join(fragment.data for fragment in fragments)
    return init, b"".join(cut(samples, data, 40))


def cut(samples: Sequence[Sample], data: bytes, per_segment: int) -> list[bytes]:
    """Segments of a constant number of samples."""
    segments, decode_time, position = [], 0, 0
    for number, first in enumerate(range(0, len(samples), per_segment), 1):
        group = samples[first : first + per_segment]
        end = position + sum(sample.size_bytes for sample in group)
        segments.append(media_segment(number, decode_time, group, data[position:end]))
        decode_time += sum(sample.duration_ticks for sample in group)
        position = end
    return segments


def video_facts() -> ChunkFacts:
    return scan_chunk(*repackaged_video())


def audio_facts() -> ChunkFacts:
    return scan_chunk(*repackaged_audio())


def video_track(height: int = 1080, peak_bps: int = 6_000_000, **changes: object) -> Track:
    """A rung of 25 pictures a second for 61.96 s."""
    facts: dict[str, object] = {
        "id": f"v{height}",
        "kind": Kind.VIDEO,
        "codec": "avc1.640028",
        "timescale": 90_000,
        "init": b"init",
        "width": height * 16 // 9,
        "height": height,
        "frame_rate": Rate(25, 1),
        "average_bps": peak_bps * 2 // 3,
        "peak_bps": peak_bps,
        "timeline": (Run(360_000, 15), Run(176_400, 1)),
        "chunks": (Chunk("A" * 22, "0" * 16, (1000,) * 8), Chunk("B" * 22, "1" * 16, (2000,) * 8)),
    }
    return Track(**facts | changes)  # type: ignore[arg-type]


def audio_track(track_id: str = "a-en-1", language: str = "en", **changes: object) -> Track:
    """AAC at 48 kHz as long as `video_track`, its first segment shorter by 1024 samples of priming."""
    facts: dict[str, object] = {
        "id": track_id,
        "kind": Kind.AUDIO,
        "codec": "mp4a.40.2",
        "language": language,
        "timescale": 48_000,
        "init": b"init",
        "sample_rate": 48_000,
        "channels": 2,
        "average_bps": 128_000,
        "peak_bps": 133_000,
        "timeline": (Run(191_488, 1), Run(192_512, 14), Run(87_424, 1)),
        "chunks": (Chunk("C" * 22, "2" * 16, (64_000,) * 16),),
    }
    return Track(**facts | changes)  # type: ignore[arg-type]


def text_track(track_id: str = "t-en-1", language: str = "en", **changes: object) -> Track:
    facts: dict[str, object] = {
        "id": track_id,
        "kind": Kind.TEXT,
        "codec": "wvtt",
        "language": language,
        "role": "subtitle",
        "timescale": 1000,
        "average_bps": 200,
        "peak_bps": 400,
        "timeline": (Run(60_000, 1), Run(1960, 1)),
        "chunks": (Chunk("D" * 22, "3" * 16, (4321,)),),
    }
    return Track(**facts | changes)  # type: ignore[arg-type]


def film() -> TitleIndex:
    """Three rungs, two languages of sound and a description of the pictures, subtitles and captions."""
    return TitleIndex(
        title_id="T",
        version="v7",
        tracks=(
            video_track(1080, 6_000_000),
            video_track(720, 3_200_000, codec="avc1.64001f"),
            video_track(360, 900_000, codec="avc1.64001e"),
            audio_track(),
            audio_track("a-de-1", "de", peak_bps=140_000),
            audio_track("a-en-2", role="description", channels=1),
            text_track(),
            text_track("t-en-2", role="caption"),
            text_track("t-de-1", "de", role="forced-subtitle"),
        ),
    )


def song() -> TitleIndex:
    return TitleIndex(
        title_id="S",
        version="v1",
        tracks=(
            audio_track("a-und-1", "und", average_bps=256_000, peak_bps=270_000),
            audio_track("a-und-2", "und", average_bps=96_000, peak_bps=101_000),
        ),
    )


def everything(index: TitleIndex, scheme: str = "clear") -> Presentation:
    return select_tracks(index, [track.id for track in index.tracks], scheme)


def lay_out(folder: Path, presentation: Presentation, objects: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Manifests and segments as files, under the paths that players ask for.

    objects: init segment and stored object of each track; that of text has no init segment.
    """
    write(folder / "dash/manifest.mpd", mpd(presentation).encode())
    write(folder / "hls/multivariant.m3u8", multivariant_playlist(presentation).encode())
    for track_id, (init, data) in objects.items():
        track = presentation.track(track_id)
        write(folder / f"hls/{track_id}.m3u8", media_playlist(presentation, track_id).encode())
        media = folder / presentation.scheme / track_id
        write(media / ("all.vtt" if track.kind is Kind.TEXT else "init.mp4"), init or data)
        for number in range(1, track.segment_count + 1):
            if track.kind is Kind.TEXT:
                start_ms, duration_ms = track.span(number)
                text = segment_document(parse_webvtt(data), start_ms, start_ms + duration_ms)
                write(media / f"{number}.vtt", text.encode())
            else:
                _, offset, size = track.location(number)
                write(media / f"{number}.m4s", data[offset : offset + size])


def write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def decode(manifest: Path, *options: str) -> tuple[list[int], list[int]]:
    """Times of the pictures and of the sound that ffmpeg decodes of a manifest, in frames and samples.

    options: for opening the manifest.
    """
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-copyts", "-xerror", *options]
    command += ["-i", str(manifest), "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-"]
    result = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert result.stderr == ""
    rows = [row.split(",") for row in result.stdout.splitlines() if not row.startswith("#")]
    pictures, sound = ([int(row[2]) for row in rows if row[0] == stream] for stream in "01")
    return pictures, sound


@cache
def small_film() -> tuple[TitleIndex, dict[str, tuple[bytes, bytes]]]:
    """Two seconds of real pictures, sound and text, with the bytes of each track."""
    text = b"WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello\n"
    tracks = (
        join_facts(TrackLabel(id="v90", frame_rate=Rate(25, 1)), [("V" * 22, video_facts())]),
        join_facts(TrackLabel(id="a-en-1", language="en"), [("A" * 22, audio_facts())]),
        join_text(TrackLabel(id="t-en-1", language="en", role="subtitle"), "T" * 22, text, 2000),
    )
    objects = {"v90": repackaged_video(), "a-en-1": repackaged_audio(), "t-en-1": (b"", text)}
    return TitleIndex(title_id="T", version="v1", tracks=tracks), objects
