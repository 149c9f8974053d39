"""Where to cut: segments of a whole number of pictures, chunks of a whole number of segments."""

from manifests.index import Rate
from transcoder.plan import Span

CHUNKS_PER_WORKER = 4
"So many chunks for each worker keep all of them busy to the end; more would decode more twice."
SHORTEST_CHUNK_SEGMENTS = 2
VIDEO_TIMESCALE = 90_000


def segment_frames(rate: Rate, segment_s: float) -> int:
    """Pictures in a segment of about that length."""
    return max(1, round(segment_s * rate.numerator / rate.denominator))


def video_timescale(rate: Rate) -> int:
    """90 kHz where a picture lasts a whole number of its ticks, else a multiple of the rate's own numerator."""
    if VIDEO_TIMESCALE * rate.denominator % rate.numerator == 0:
        return VIDEO_TIMESCALE
    return rate.numerator * max(1, -(-10_000 // rate.numerator))


def plan_spans(frame_count: int, per_segment: int, per_chunk: int, workers: int, *, seekable: bool) -> tuple[Span, ...]:
    """Spans of pictures, all but the last of whole segments.

    per_segment, per_chunk: pictures in a segment, and in the longest chunk that is wanted.
    seekable: whether a decoder can begin anywhere; otherwise there is one span.
    """
    if not seekable:
        return (Span(1, 0, frame_count),)
    segments = -(-frame_count // per_segment)
    even = -(-segments // (CHUNKS_PER_WORKER * workers))
    longest = max(1, per_chunk // per_segment)
    step = per_segment * min(max(even, SHORTEST_CHUNK_SEGMENTS), longest)
    starts = range(0, frame_count, step)
    return tuple(Span(number, start, min(step, frame_count - start)) for number, start in enumerate(starts, 1))
