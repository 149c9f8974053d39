import signal

import pytest

from config.settings import IntakeSettings
from transcoder.errors import FfmpegFailed, OutOfRoom, Reason, Refused
from transcoder.refusals import check_sizes, check_whole, refusal_from

SETTINGS = IntakeSettings()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("[hls] Format not on whitelist 'mov'\nfile: Invalid argument", Reason.PLAYLIST),
        ("[image2] Format not on whitelist 'mov'", Reason.NOT_MEDIA),
        ("[png_pipe] Format not on whitelist 'mov'", Reason.NOT_MEDIA),
        ("[asf,wmv] Format not on whitelist 'mov'", Reason.UNSUPPORTED_CONTAINER),
        ("[wmav2] Codec (wmav2) not on whitelist 'h264'", Reason.UNSUPPORTED_CODEC),
        ("[h264] Picture size 99999x99999 is invalid", Reason.TOO_LARGE),
        (
            "[mov] Number of streams exceeds max_streams parameter (1)\nx: Cannot allocate memory",
            Reason.TOO_MANY_STREAMS,
        ),
        ("[mov] moov atom not found\nx: Invalid data", Reason.TRUNCATED),
        ("x: Cannot allocate memory", Reason.TOO_LARGE),
        ("x: Invalid data found when processing input", Reason.NOT_MEDIA),
        ("", Reason.NOT_MEDIA),
    ],
)
def test_the_words_of_ffprobe_tell_the_reason(words: str, reason: Reason) -> None:
    refused = refusal_from(FfmpegFailed(words, 1), SETTINGS, is_mp4=True)
    assert isinstance(refused, Refused)
    assert refused.reason == reason
    assert refused.sentence[0].isupper()
    assert refused.sentence.endswith(".")


def test_noise_that_is_called_mp4_is_not_truncated() -> None:
    refused = refusal_from(FfmpegFailed("[mov,mp4] moov atom not found", 1), SETTINGS, is_mp4=False)
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.NOT_MEDIA


def test_an_original_that_ends_ffprobe_is_damaged() -> None:
    refused = refusal_from(FfmpegFailed("", -signal.SIGSEGV), SETTINGS, is_mp4=True)
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.DAMAGED


@pytest.mark.parametrize(
    "error", [FfmpegFailed("error while loading shared libraries", 127), FfmpegFailed("", -9), OutOfRoom("full", 1)]
)
def test_a_fault_of_ours_is_not_blamed_on_the_original(error: FfmpegFailed) -> None:
    assert refusal_from(error, SETTINGS, is_mp4=True) is error


def test_noise_that_passes_for_mp3_is_no_media() -> None:
    with pytest.raises(Refused, match="no film or song"):
        check_sizes({"format": {"probe_score": 1}, "streams": []}, SETTINGS)


@pytest.mark.parametrize(("stated", "span_s"), [("4.0", 3.9), ("100", 99.1), ("N/A", 0), ("1000", 985.0)])
def test_headers_may_be_sloppy(stated: str, span_s: float) -> None:
    assert check_whole({"format_name": "matroska,webm", "duration": stated}, span_s, cut=False) == ""


def test_a_file_cut_a_little_is_taken_with_a_note() -> None:
    assert "damaged" in check_whole({"format_name": "mov,mp4", "duration": "4.0"}, 3.9, cut=True)


@pytest.mark.parametrize(("span_s", "cut"), [(2.0, False), (3.5, True)])
def test_a_file_cut_clearly_is_truncated(span_s: float, cut: bool) -> None:
    with pytest.raises(Refused, match=r"says that it is 4\.0 s long, and has") as refused:
        check_whole({"format_name": "mov,mp4", "duration": "4.0"}, span_s, cut)
    assert refused.value.reason == Reason.TRUNCATED


def test_a_duration_that_is_only_estimated_refuses_nothing() -> None:
    assert check_whole({"format_name": "aac", "duration": "400"}, 4.0, cut=False) == ""
