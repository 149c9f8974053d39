"""FFmpeg as a player: it reads our manifests over HTTP from the real server, and decodes all that they offer."""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import m3u8
import numpy as np
import pytest
from mpegdash.parser import MPEGDASHParser

from tests.films import CUE_DELAY_MS, FILM_S, FRAMES, LINES, PITCHES, RUNGS, Cinema, open_cinema
from tests.intake_helpers import the_tools

RATE = 48_000
AAC_FRAME = 1024
SEGMENT_S = 2
CUE = re.compile(r"(\d\d):(\d\d\.\d{3}) --> .*\n(.+)")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    with open_cinema(tmp_path_factory.mktemp("cinema")) as opened:
        yield opened


def run_ffmpeg(*arguments: str) -> str:
    """Gives its warnings and errors."""
    command = [str(the_tools().ffmpeg), "-nostdin", "-v", "warning", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stderr


@dataclass(frozen=True, slots=True)
class Decoded:
    """What FFmpeg made of one manifest."""

    protocol: str
    folder: Path
    complaints: str

    def pictures(self) -> dict[tuple[int, int], list[int]]:
        """Times of all pictures of each rung, counted in pictures."""
        lines = (self.folder / "pictures").read_text().splitlines()
        sizes = {
            m[1]: (int(m[2]), int(m[3])) for line in lines if (m := re.match(r"#dimensions (\d+): (\d+)x(\d+)", line))
        }
        shown: dict[tuple[int, int], list[int]] = {size: [] for size in sizes.values()}
        for line in lines:
            if not line.startswith("#"):
                fields = line.split(",")
                shown[sizes[fields[0]]].append(int(fields[2]))
        return shown

    def sound(self, language: str) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
        return np.fromfile(self.folder / f"{language}.pcm", dtype="<i2")

    def lines(self, language: str) -> list[tuple[int, str]]:
        """Subtitles and when each begins, in milliseconds."""
        text = (self.folder / f"{language}.vtt").read_text()
        return [
            (60_000 * int(minute) + round(1000 * float(second)), line) for minute, second, line in CUE.findall(text)
        ]


@pytest.fixture(scope="module", params=["hls", "dash"])
def decoded(cinema: Cinema, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Decoded:
    """One process takes all streams: what nobody wants of HLS, FFmpeg stops reading in the middle, and complains."""
    folder = tmp_path_factory.mktemp("decoded")
    url = asyncio.run(cinema.server.play(cinema.title_id))[f"{request.param}_url"]
    outputs = ["-map", "0:v", "-fps_mode", "passthrough", "-f", "framecrc", str(folder / "pictures")]
    for language in PITCHES:
        outputs += ["-map", f"0:a:m:language:{language}", "-ac", "1", "-f", "s16le", str(folder / f"{language}.pcm")]
        outputs += ["-map", f"0:s:m:language:{language}", "-c", "copy", "-f", "webvtt", str(folder / f"{language}.vtt")]
    # The sound's priming begins before zero; without -copyts all times would be moved by it.
    return Decoded(str(request.param), folder, run_ffmpeg("-copyts", "-i", url, *outputs))


def test_the_encode_has_what_makes_this_hard(cinema: Cinema) -> None:
    store = cinema.server.folder / "data/store/titles" / cinema.title_id / "v1"
    assert len(list((store / "v360").glob("*.m4s"))) > 1, "several chunks"
    session = asyncio.run(cinema.server.play(cinema.title_id))
    with av.open(session["hls_url"]) as container:
        packets = [packet for packet, _ in zip(container.demux(video=0), range(25), strict=False)]
    assert any(packet.pts != packet.dts for packet in packets), "B-frames"


def test_every_rung_gives_exactly_the_pictures_of_the_source_and_no_complaint(decoded: Decoded) -> None:
    assert decoded.complaints == ""
    pictures = decoded.pictures()
    assert set(pictures) == RUNGS
    for size, times in pictures.items():
        assert times == list(range(FRAMES)), size


@pytest.mark.parametrize("language", PITCHES)
def test_each_language_sounds_as_the_source_from_start_to_end(decoded: Decoded, language: str) -> None:
    samples = decoded.sound(language)
    # FFmpeg drops the first AAC frame of each later DASH segment, as it does with other packagers' streams.
    missing = AAC_FRAME * (FILM_S // SEGMENT_S) if decoded.protocol == "dash" else 0
    assert FILM_S * RATE - missing <= len(samples) <= FILM_S * RATE + AAC_FRAME
    for second in range(FILM_S):
        spectrum = np.abs(np.fft.rfft(samples[second * RATE : (second + 1) * RATE]))
        assert abs(int(spectrum.argmax()) * RATE / (2 * (len(spectrum) - 1)) - PITCHES[language]) < 5, second


def all_lines(language: str) -> list[tuple[int, str]]:
    return [(1000 * n + CUE_DELAY_MS, f"{LINES[language]} {n}") for n in range(FILM_S)]


@pytest.mark.parametrize("language", LINES)
def test_subtitles_come_through_each_in_its_time(decoded: Decoded, language: str) -> None:
    # FFmpeg loses what it has read of HLS subtitles when it begins; of HLS that it wrote itself, five lines of this.
    lost = 1 if decoded.protocol == "hls" else 0
    assert decoded.lines(language) == all_lines(language)[lost:]


def test_a_subtitle_playlist_read_by_itself_has_every_line(cinema: Cinema, tmp_path: Path) -> None:
    playlist = m3u8.load(asyncio.run(cinema.server.play(cinema.title_id))["hls_url"])
    (text,) = [media.absolute_uri for media in playlist.media if (media.type, media.language) == ("SUBTITLES", "de")]
    run_ffmpeg("-i", text, "-c", "copy", str(tmp_path / "de.vtt"))
    assert Decoded("hls", tmp_path, "").lines("de") == all_lines("de")


def test_m3u8_reads_our_playlists(cinema: Cinema) -> None:
    playlist = m3u8.load(asyncio.run(cinema.server.play(cinema.title_id))["hls_url"])
    assert playlist.is_variant
    assert {variant.stream_info.resolution for variant in playlist.playlists} == RUNGS
    assert {(media.type, media.language) for media in playlist.media} == {
        (kind, language) for kind in ("AUDIO", "SUBTITLES") for language in PITCHES
    }
    for address in [*(variant.absolute_uri for variant in playlist.playlists), playlist.media[0].absolute_uri]:
        rung = m3u8.load(address)
        assert rung.is_endlist
        assert sum(segment.duration or 0 for segment in rung.segments) == pytest.approx(FILM_S, abs=0.05)


def test_mpegdash_reads_our_mpd(cinema: Cinema) -> None:
    mpd = MPEGDASHParser.parse(asyncio.run(cinema.server.play(cinema.title_id))["dash_url"])
    (period,) = mpd.periods
    sets = {(group.content_type, group.lang): group for group in period.adaptation_sets}
    assert set(sets) == {("video", None), *((kind, language) for kind in ("audio", "text") for language in PITCHES)}
    assert {(rung.width, rung.height) for rung in sets["video", None].representations} == RUNGS
    (template,) = sets["video", None].segment_templates
    (run,) = template.segment_timelines[0].Ss
    assert (run.r + 1) * run.d / template.timescale == FILM_S
