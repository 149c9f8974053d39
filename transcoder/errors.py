"""What can go wrong between an original and its tracks.

TranscodeError          the message is written for the content team or the operator
├── Refused             an original that we do not take: a stable reason and a sentence for a person
├── FfmpegFailed        ffmpeg or ffprobe ended badly: its own last words
│   └── OutOfRoom       the disk is full
├── FfmpegStalled       no progress for too long
├── TimedOut            more time, by the clock or of the processor, than was allowed
├── Cancelled           we were asked to stop
├── WrongEncoder        this host's ffmpeg or x264 is not the one that the encode began with
├── EngineLost          the engine is gone, or was replaced, before it had a result
│   └── WorkerDied      only the worker is
├── ToolMissing         ffmpeg or ffprobe is not where it should be, or does not run
└── JailUnavailable     this host lacks a means of confinement that the settings insist on
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why an original is refused; stable, for programs. The sentence beside it is for people."""

    NOT_MEDIA = "not-media"
    PLAYLIST = "playlist"
    UNSUPPORTED_CONTAINER = "unsupported-container"
    UNSUPPORTED_CODEC = "unsupported-codec"
    NOTHING_PLAYABLE = "nothing-playable"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    TOO_LARGE = "too-large"
    TOO_LONG = "too-long"
    TOO_MANY_STREAMS = "too-many-streams"
    ABSURD_RATE = "absurd-rate"


class TranscodeError(Exception):
    """Base. All arguments go to `Exception`, so that errors survive the way between processes."""


class Refused(TranscodeError):
    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(reason, sentence)
        self.reason = reason
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class FfmpegFailed(TranscodeError):
    def __init__(self, last_words: str, exit_status: int | None = None) -> None:
        super().__init__(last_words, exit_status)
        self.last_words = last_words
        "Its last lines on standard error, without paths of this machine."
        self.exit_status = exit_status
        "Exit status; negative: the signal that ended it."

    def __str__(self) -> str:
        return self.last_words or f"ended with status {self.exit_status} and said nothing"


class OutOfRoom(FfmpegFailed):
    pass


class FfmpegStalled(TranscodeError):
    pass


class TimedOut(TranscodeError):
    pass


class Cancelled(TranscodeError):
    pass


class WrongEncoder(TranscodeError):
    pass


class EngineLost(TranscodeError):
    pass


class WorkerDied(EngineLost):
    pass


class ToolMissing(TranscodeError):
    pass


class JailUnavailable(TranscodeError):
    pass
