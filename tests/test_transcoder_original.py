import msgspec
import pytest

from manifests.index import Rate
from transcoder.original import AudioStream, Original, SubtitleStream, VideoStream


def video(**changes: object) -> VideoStream:
    facts = {
        "index": 0, "codec": "h264", "width": 720, "height": 576, "pixel_aspect": (1, 1), "rotation": 0,
        "frame_rate": Rate(25, 1), "measured_rate_hz": 25.0, "is_variable_rate": False, "frame_count": 100,
        "start_s": 0.0, "duration_s": 4.0, "is_interlaced": False, "field_order": "progressive",
        "pixel_format": "yuv420p", "bit_depth": 8, "color_transfer": "bt709", "color_primaries": "bt709",
        "color_matrix": "bt709", "keyframes_s": (0.0, 1.0),
    }  # fmt: skip
    return VideoStream(**(facts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pixel_aspect", "rotation", "size"),
    [
        ((1, 1), 0, (720, 576)),
        ((64, 45), 0, (1024, 576)),
        ((8, 9), 0, (720, 648)),
        ((1, 1), 90, (576, 720)),
        ((64, 45), 270, (576, 1024)),
        ((1, 1), 180, (720, 576)),
    ],
)
def test_the_size_on_screen_is_upright_and_of_square_pixels(
    pixel_aspect: tuple[int, int], rotation: int, size: tuple[int, int]
) -> None:
    assert video(pixel_aspect=pixel_aspect, rotation=rotation).display_size == size


def test_two_transfers_are_hdr() -> None:
    assert video(color_transfer="smpte2084").is_hdr
    assert video(color_transfer="arib-std-b67").is_hdr
    assert not video(color_transfer="").is_hdr


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 100),
        ({"duration_s": 3.9}, 100),
        ({"is_variable_rate": True, "duration_s": 5.0}, 125),
        ({"measured_rate_hz": 50.0, "frame_count": 200}, 100),
        ({"measured_rate_hz": 0.0, "frame_count": 1, "duration_s": 0.0}, 1),
    ],
)
def test_the_constant_rate_has_as_many_pictures_as_fit(changes: dict[str, object], count: int) -> None:
    assert video(**changes).encoded_frame_count == count


def test_an_original_survives_the_way_to_the_database() -> None:
    original = Original(
        container="matroska,webm",
        size_bytes=5,
        duration_s=4.0,
        video=video(),
        audio=(
            AudioStream(
                index=1, codec="aac", channels=2, sample_rate=48000, language="de", role="main", title="",
                is_default=True, start_s=0.0, duration_s=4.0,
            ),
        ),
        subtitles=(SubtitleStream(index=2, codec="ass", language="en", role="forced", title="", is_default=False),),
        cover=None,
        notes=("Stream 3 is left out.",),
    )  # fmt: skip
    assert msgspec.convert(msgspec.to_builtins(original), Original) == original
