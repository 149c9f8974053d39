"""Real files of every kind that we take or refuse, through both generations of FFmpeg where the host has them."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from config.settings import IntakeSettings
from manifests.index import Rate
from tests.intake_helpers import H264, PICTURES, SETTINGS, SOUND, cut, make, make_film, make_song, the_jail, the_tools
from transcoder.errors import Reason, Refused
from transcoder.original import Original
from transcoder.probe import probe
from transcoder.tools import Tools

Look = Callable[..., Awaitable[Original]]
SYSTEM = (Path("/usr/bin/ffmpeg"), Path("/usr/bin/ffprobe"))
INTERLACED = ("-vf", "interlace,setfield=tff", "-c:v", "mpeg2video", "-flags", "+ildct+ilme")
HDR = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params")
PQ = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"


@pytest.fixture(scope="module", params=["ours", "system's"] if all(map(Path.exists, SYSTEM)) else ["ours"])
def tools(request: pytest.FixtureRequest) -> Tools:
    if request.param == "ours":
        return the_tools()
    return Tools.find(IntakeSettings(ffmpeg=str(SYSTEM[0]), ffprobe=str(SYSTEM[1])))


@pytest.fixture
def look(tools: Tools, tmp_path: Path) -> Look:
    async def probe_it(path: Path, settings: IntakeSettings = SETTINGS) -> Original:
        job = tmp_path / "job"
        job.mkdir()
        return await probe(path, tools, the_jail(), settings, job)

    return probe_it


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    make_film(folder / "film.mp4")
    make_film(folder / "fast.mp4", *H264, "-c:a", "aac", "-movflags", "faststart")
    return folder


async def refusal(look: Look, path: Path, **settings: object) -> Refused:
    with pytest.raises(Refused) as refused:
        await look(path, SETTINGS.model_copy(update=settings))
    assert re.fullmatch(r"[A-Z].*\.", refused.value.sentence), refused.value.sentence
    assert str(path.parent) not in refused.value.sentence
    return refused.value


async def test_a_film_is_described(look: Look, media: Path) -> None:
    found = await look(media / "film.mp4")
    assert found.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert found.size_bytes == (media / "film.mp4").stat().st_size
    assert found.duration_s == pytest.approx(4.0)
    assert found.notes == ()
    video = found.video
    assert video is not None
    assert (video.index, video.codec, video.width, video.height) == (0, "h264", 128, 72)
    assert (video.frame_rate, video.frame_count, video.is_variable_rate) == (Rate(25, 1), 100, False)
    assert (video.pixel_aspect, video.rotation, video.is_interlaced, video.is_hdr) == ((1, 1), 0, False, False)
    assert video.start_s == 0.0
    assert video.duration_s == pytest.approx(4.0)
    assert video.keyframes_s == (0.0, 1.0, 2.0, 3.0)
    (audio,) = found.audio
    assert (audio.index, audio.codec, audio.channels, audio.sample_rate) == (1, "aac", 1, 44100)
    assert audio.start_s == 0.0
    assert audio.duration_s == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "options", "codecs"),
    [
        ("film.mkv", (*H264, "-c:a", "libvorbis"), ("h264", "vorbis")),
        ("film.webm", ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"), ("vp9", "opus")),
        ("film.mpg", ("-c:v", "mpeg2video", "-c:a", "mp2"), ("mpeg2video", "mp2")),
        ("film.ts", (*H264, "-c:a", "ac3"), ("h264", "ac3")),
        ("film.avi", ("-c:v", "mpeg4", "-c:a", "libmp3lame"), ("mpeg4", "mp3")),
        ("film.mov", ("-c:v", "prores_ks", "-c:a", "pcm_s24le"), ("prores", "pcm_s24le")),
        ("film.mp4", ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1", "-c:a", "aac"), ("av1", "aac")),
    ],
)
async def test_films_of_all_kinds_are_taken(
    name: str, options: tuple[str, ...], codecs: tuple[str, str], look: Look, tmp_path: Path
) -> None:
    found = await look(make_film(tmp_path / name, *options))
    assert found.video is not None
    assert (found.video.codec, found.audio[0].codec) == codecs
    assert found.video.frame_rate == Rate(25, 1)
    assert found.video.frame_count == 100
    assert found.duration_s == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("name", ["song.mp3", "song.flac", "song.ogg", "song.opus", "song.wav", "song.m4a", "song.aac"])
async def test_songs_of_all_kinds_are_taken(name: str, look: Look, tmp_path: Path) -> None:
    tags = ("-metadata", "title=Song", "-metadata", "artist=Somebody", "-metadata", "album=Album")
    found = await look(make_song(tmp_path / name, *tags))
    assert found.video is None
    assert found.duration_s == pytest.approx(4.0, abs=0.06)
    assert found.audio[0].title == ""
    if not name.endswith("aac"):
        assert (found.tags.title, found.tags.artist, found.tags.album) == ("Song", "Somebody", "Album")


@pytest.mark.parametrize("name", ["song.mp3", "song.flac", "song.m4a"])
async def test_the_cover_of_a_song_is_no_film(name: str, look: Look, tmp_path: Path) -> None:
    picture = make(tmp_path / "cover.jpg", *PICTURES, "-frames:v", "1")
    cover = ("-i", str(picture), "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic")
    found = await look(make_song(tmp_path / name, *cover))
    assert found.video is None
    assert found.cover == 1


async def test_languages_roles_and_subtitles_are_described(look: Look, tmp_path: Path) -> None:
    (tmp_path / "text.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    found = await look(
        make_film(
            tmp_path / "film.mkv",
            *("-i", str(tmp_path / "text.srt"), "-i", str(tmp_path / "text.srt")),
            *("-map", "0", "-map", "1", "-map", "1", "-map", "2", "-map", "3", *H264, "-c:a", "aac"),
            *("-c:s:0", "srt", "-c:s:1", "ass", "-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=eng"),
            *("-disposition:a:1", "comment", "-metadata:s:s:0", "language=fre", "-disposition:s:1", "forced"),
        )
    )
    assert [(audio.language, audio.role) for audio in found.audio] == [("de", "main"), ("en", "commentary")]
    assert [(text.codec, text.language, text.role) for text in found.subtitles] == [
        ("subrip", "fr", "subtitle"),
        ("ass", "und", "forced"),
    ]


async def test_text_of_mp4_is_taken_and_a_time_code_left_out(look: Look, tmp_path: Path) -> None:
    (tmp_path / "text.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    options = ("-i", str(tmp_path / "text.srt"), *H264, "-c:a", "aac", "-c:s", "mov_text", "-timecode", "10:00:00:00")
    found = await look(make_film(tmp_path / "film.mov", *options))
    assert [text.codec for text in found.subtitles] == ["mov_text"]
    assert len(found.notes) == 1
    assert "data coded as" in found.notes[0]


async def test_subtitles_that_are_pictures_are_left_out_with_a_note(look: Look, tmp_path: Path) -> None:
    presentation = bytes.fromhex("0080 0048 10 0000 80 00 00 00".replace(" ", ""))
    sup = b"".join(
        b"PG" + (90_000).to_bytes(4, "big") + bytes(4) + bytes([kind]) + len(data).to_bytes(2, "big") + data
        for kind, data in ((0x16, presentation), (0x80, b""))
    )
    (tmp_path / "text.sup").write_bytes(sup)
    options = ("-i", str(tmp_path / "text.sup"), *("-map", "0", "-map", "1", "-map", "2"), *H264, "-c:s", "copy")
    found = await look(make_film(tmp_path / "film.mkv", *options))
    assert found.notes == ("Stream 2 is left out: subtitles coded as hdmv_pgs_subtitle.",)


@pytest.mark.parametrize("degrees", [90, 180, 270])
async def test_rotation_is_found(degrees: int, look: Look, media: Path, tmp_path: Path) -> None:
    turned = make(
        tmp_path / "turned.mp4", "-display_rotation", str(-degrees), "-i", str(media / "film.mp4"), "-c", "copy"
    )
    found = await look(turned)
    assert found.video is not None
    assert found.video.rotation == degrees
    assert found.video.display_size == ((128, 72) if degrees == 180 else (72, 128))


async def test_interlaced_pictures_and_wide_pixels_are_found(look: Look, tmp_path: Path) -> None:
    fields = ("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=50:duration=2")
    found = await look(make(tmp_path / "film.mpg", *fields, *INTERLACED, "-aspect", "4:3"))
    assert found.video is not None
    assert (found.video.is_interlaced, found.video.field_order) == (True, "tt")
    assert found.video.pixel_aspect == (3, 4)
    assert found.video.frame_rate == Rate(25, 1)


async def test_hdr_is_found(look: Look, tmp_path: Path) -> None:
    found = await look(make(tmp_path / "film.mp4", *PICTURES, "-t", "1", *HDR, PQ))
    assert found.video is not None
    assert (found.video.is_hdr, found.video.bit_depth, found.video.color_primaries) == (True, 10, "bt2020")


@pytest.mark.parametrize(
    ("rate", "name", "expected"),
    [
        ("24000/1001", "film.mkv", Rate(24000, 1001)),
        ("30000/1001", "film.mp4", Rate(30000, 1001)),
        ("60000/1001", "film.ts", Rate(60000, 1001)),
        ("100", "film.mp4", Rate(50, 1)),
        ("12", "film.mp4", Rate(12, 1)),
    ],
)
async def test_the_rate_is_the_true_one(rate: str, name: str, expected: Rate, look: Look, tmp_path: Path) -> None:
    film = make(tmp_path / name, "-f", "lavfi", "-i", f"testsrc2=size=64x64:rate={rate}:duration=3", *H264)
    found = await look(film)
    assert found.video is not None
    assert (found.video.frame_rate, found.video.is_variable_rate) == (expected, False)
    assert found.video.encoded_frame_count == pytest.approx(3 * expected.numerator / expected.denominator, abs=1)


async def test_a_variable_rate_is_found(look: Look, tmp_path: Path) -> None:
    drop = ("-vf", "select='not(between(mod(n,20),8,15))'", "-fps_mode", "vfr")
    found = await look(make(tmp_path / "film.mp4", *PICTURES, *drop, *H264))
    assert found.video is not None
    assert found.video.is_variable_rate
    assert found.video.frame_rate == Rate(25, 1)
    assert found.video.encoded_frame_count == pytest.approx(100, abs=1)


async def test_what_an_edit_list_cuts_away_is_neither_counted_nor_missed(
    look: Look, media: Path, tmp_path: Path
) -> None:
    found = await look(make(tmp_path / "cut.mp4", "-ss", "1.52", "-i", str(media / "film.mp4"), "-c", "copy"))
    assert found.video is not None
    assert found.video.start_s == pytest.approx(0.0, abs=0.05)
    assert found.video.frame_count == pytest.approx(62, abs=1)
    assert found.duration_s == pytest.approx(2.48, abs=0.05)


async def test_sound_that_begins_late_says_when(look: Look, tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", *PICTURES, "-itsoffset", "1.5", *SOUND, *H264, "-c:a", "flac")
    found = await look(film)
    assert found.audio[0].start_s == pytest.approx(1.5, abs=0.01)


async def test_a_single_picture_is_a_short_film(look: Look, tmp_path: Path) -> None:
    found = await look(make(tmp_path / "film.mp4", *PICTURES, "-frames:v", "1", *H264))
    assert found.video is not None
    assert (found.video.frame_count, found.video.frame_rate) == (1, Rate(25, 1))


@pytest.mark.parametrize("whole", ["film.mp4", "fast.mp4"])
async def test_a_cut_mp4_is_truncated(whole: str, look: Look, media: Path, tmp_path: Path) -> None:
    assert (await refusal(look, cut(media / whole, tmp_path / "cut.mp4"))).reason == Reason.TRUNCATED


@pytest.mark.parametrize("name", ["cut.mkv", "cut.webm", "cut.flac", "cut.m4a", "cut.wav", "cut.mp3", "cut.avi"])
async def test_other_files_that_are_cut_are_truncated(name: str, look: Look, tmp_path: Path) -> None:
    films = {".mkv": H264, ".webm": ("-c:v", "libvpx", "-c:a", "libvorbis"), ".avi": ("-c:v", "mpeg4")}
    suffix = Path(name).suffix
    whole = tmp_path / f"whole{suffix}"
    whole = make_film(whole, *films[suffix]) if suffix in films else make_song(whole)
    assert (await refusal(look, cut(whole, tmp_path / name))).reason == Reason.TRUNCATED


@pytest.mark.parametrize(
    "data",
    [b"", b"Once upon a time.", bytes(100_000), b"PK\x03\x04" + bytes(1000), b"\xff\xd8\xff\xe0" + bytes(1000)],
    ids=["empty", "text", "zeros", "zip", "jpeg"],
)
async def test_what_is_no_media_is_refused(data: bytes, look: Look, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(data)
    assert (await refusal(look, tmp_path / "film.mp4")).reason == Reason.NOT_MEDIA


async def test_noise_is_no_media(look: Look, tmp_path: Path) -> None:
    noise = bytearray()
    state = 1
    for _ in range(50_000):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        noise.append(state >> 16 & 0xFF)
    (tmp_path / "film.mp4").write_bytes(noise)
    assert (await refusal(look, tmp_path / "film.mp4")).reason == Reason.NOT_MEDIA


async def test_a_picture_is_no_film(look: Look, tmp_path: Path) -> None:
    picture = make(tmp_path / "picture.bmp", *PICTURES, "-frames:v", "1")
    assert (await refusal(look, picture)).reason == Reason.NOT_MEDIA


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.ffconcat"])
@pytest.mark.parametrize("head", ["#EXTM3U\n#EXTINF:4,\n", "ffconcat version 1.0\nfile "], ids=["hls", "concat"])
async def test_a_playlist_is_refused_and_never_followed(
    head: str, name: str, look: Look, media: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(f"{head}{media / 'film.mp4'}\n#EXT-X-ENDLIST\n")
    assert (await refusal(look, tmp_path / name)).reason == Reason.PLAYLIST


async def test_a_container_that_we_do_not_read_is_named(look: Look, tmp_path: Path) -> None:
    refused = await refusal(look, make_film(tmp_path / "film.flv", "-c:v", "flv1", "-an"))
    assert refused.reason == Reason.UNSUPPORTED_CONTAINER
    assert "flv" in refused.sentence


@pytest.mark.parametrize(("options", "codec"), [(("-c:v", "wmv2", "-an"), "wmv2"), ((*H264, "-c:a", "wmav2"), "wmav2")])
async def test_a_codec_that_we_do_not_decode_is_named(
    options: tuple[str, ...], codec: str, look: Look, tmp_path: Path
) -> None:
    refused = await refusal(look, make_film(tmp_path / "film.mkv", *options))
    assert refused.reason == Reason.UNSUPPORTED_CODEC
    assert codec in refused.sentence


async def test_text_alone_is_nothing_to_play(look: Look, tmp_path: Path) -> None:
    (tmp_path / "text.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    refused = await refusal(look, make(tmp_path / "text.mkv", "-i", str(tmp_path / "text.srt")))
    assert refused.reason == Reason.NOTHING_PLAYABLE


async def test_an_encrypted_film_is_refused(look: Look, media: Path, tmp_path: Path) -> None:
    keys = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "01" * 16, "-encryption_kid", "02" * 16)
    film = make(tmp_path / "film.mp4", "-i", str(media / "film.mp4"), "-c", "copy", *keys)
    assert (await refusal(look, film)).reason == Reason.ENCRYPTED


@pytest.mark.parametrize(
    ("settings", "reason", "said"),
    [
        ({"max_pixels": 128 * 72 - 1}, Reason.TOO_LARGE, "128x72"),
        ({"max_duration_s": 3.0}, Reason.TOO_LONG, "4 s"),
        ({"max_streams": 1}, Reason.TOO_MANY_STREAMS, "streams"),
        ({"max_frame_rate": 24.0}, Reason.ABSURD_RATE, "25 pictures"),
        ({"max_frame_rate": 1.0, "max_duration_s": 10.0}, Reason.ABSURD_RATE, "10 pictures"),
    ],
)
async def test_what_is_beyond_the_limits_is_refused_with_its_value(
    settings: dict[str, object], reason: Reason, said: str, look: Look, media: Path
) -> None:
    refused = await refusal(look, media / "film.mp4", **settings)
    assert refused.reason == reason
    assert said in refused.sentence


async def test_pictures_that_cannot_be_decoded_are_damaged(look: Look, media: Path, tmp_path: Path) -> None:
    film = bytearray((media / "film.mp4").read_bytes())
    begin = film.index(b"mdat") + 4
    end = film.index(b"moov") - 4
    film[begin:end] = bytes(byte ^ 0x5A for byte in film[begin:end])
    (tmp_path / "film.mp4").write_bytes(film)
    assert (await refusal(look, tmp_path / "film.mp4")).reason == Reason.DAMAGED
