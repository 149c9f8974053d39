import pickle

import pytest

from transcoder.errors import Cancelled, FfmpegFailed, OutOfRoom, Reason, Refused, TimedOut, TranscodeError


@pytest.mark.parametrize(
    "error",
    [
        Refused(Reason.TRUNCATED, "The end is missing."),
        FfmpegFailed("Conversion failed!", 1),
        OutOfRoom("no space", 1),
        TimedOut("took longer than 5 s"),
        Cancelled("cancelled"),
    ],
)
def test_errors_survive_the_way_between_processes(error: TranscodeError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_a_refusal_reads_as_its_sentence() -> None:
    assert str(Refused(Reason.ENCRYPTED, "The file is encrypted.")) == "The file is encrypted."


def test_a_program_that_said_nothing_still_tells_its_status() -> None:
    assert str(FfmpegFailed("", -11)) == "ended with status -11 and said nothing"


def test_reason_codes_are_words_with_hyphens() -> None:
    assert {"not-media", "playlist", "truncated", "unsupported-codec", "encrypted"} <= set(Reason)
    assert all(code == code.lower() and code.replace("-", "").isalpha() for code in Reason)
