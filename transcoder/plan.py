"""What is fixed before the first picture is encoded: rungs, chunks, sound, text and the encoder's identity.

A plan is a value that goes to the database as JSON and to the workers as it is. Two workers with the same plan and the
same encoder make the same objects.
"""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import msgspec

from manifests.index import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the ladder as this title gets it."""

    track_id: str
    width: int
    height: int
    crf: float
    max_kbps: int


@dataclass(frozen=True, slots=True)
class Span:
    """The pictures of one chunk, counted on the constant rate of the title."""

    number: int
    start_frame: int
    frame_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlan:
    """How the pictures are made."""

    stream: int
    "Index of the source's stream."
    start_s: float
    "Source time of the first picture, which becomes time 0 of the title."
    frame_rate: Rate
    timescale: int
    segment_frames: int
    "Length of a segment and of a closed group of pictures, the same for all rungs."
    deinterlace: bool
    tone_map: bool
    "The source is HDR and must be brought into BT.709."
    preset: str
    rungs: tuple[Rung, ...]
    spans: tuple[Span, ...]

    @property
    def frame_ticks(self) -> int:
        return self.timescale * self.frame_rate.denominator // self.frame_rate.numerator

    @property
    def duration_s(self) -> float:
        frames = self.spans[-1].start_frame + self.spans[-1].frame_count
        return frames * self.frame_rate.denominator / self.frame_rate.numerator


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPlan:
    """One language and role at one rate: one continuous run of the encoder."""

    track_id: str
    stream: int
    start_s: float
    "Source time that becomes time 0 of the title."
    pad_to_s: float
    "Silence is added up to here, so that sound lasts as long as the pictures; 0: not at all."
    language: str
    role: str
    name: str
    sample_rate: int
    channels: int
    kbps: int
    segment_frames: int
    "AAC frames in a segment."
    piece_segments: int
    "Segments in a stored object."


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPlan:
    """One WebVTT track, from a stream of the original or from a file beside it."""

    track_id: str
    stream: int | None
    sidecar_id: str
    "Id of an original; empty where `stream` is given."
    start_s: float
    duration_s: float
    language: str
    role: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PosterPlan:
    """The picture that stands for the title: one of its own, or its cover."""

    stream: int
    at_s: float | None
    "Where to look for a good picture; None: the stream is a cover."
    tone_map: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodePlan:
    """Everything that determines the outputs of one job."""

    title_id: str
    version: str
    original_id: str
    original_sha256: str
    encoder: str
    "Identity of ffmpeg and x264; a worker with another one does not take this job."
    container: str
    duration_s: float
    video: VideoPlan | None
    audio: tuple[AudioPlan, ...]
    text: tuple[TextPlan, ...]
    poster: PosterPlan | None
    tags: dict[str, str]
    "Title, artist and album as the original's own tags have them."
    notes: tuple[str, ...]
    "What was left out, in sentences for the content team."

    def to_builtins(self) -> dict[str, Any]:
        built = msgspec.to_builtins(self)
        assert isinstance(built, dict)
        return built

    @staticmethod
    def from_builtins(data: dict[str, Any]) -> "EncodePlan":
        return msgspec.convert(data, EncodePlan)

    @property
    def folder(self) -> str:
        return f"titles/{self.title_id}/{self.version}"

    def digest(self, *parts: object) -> str:
        """Name of an output: 128 bits over the original, the encoder and all else that determines it."""
        determined_by = msgspec.json.encode((self.original_sha256, self.encoder, parts), order="deterministic")
        return urlsafe_b64encode(hashlib.sha256(determined_by).digest()[:16]).decode().rstrip("=")
