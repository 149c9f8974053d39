"""The rungs worth encoding: the operator's ladder cut to the source, never above it."""

from config.ladders import LadderPolicy, VideoStep
from transcoder.plan import Rung

SMALLEST_STEP = 1.15
"A rung less than this factor narrower than the one above it is not worth its bits."


def choose_rungs(policy: LadderPolicy, width: int, height: int) -> tuple[Rung, ...]:
    """The best rung first. The top one has the source's own size, or fits the largest box where that is smaller.

    width, height: of the source as shown: turned upright, with square pixels.
    """
    portrait = height > width
    rungs: list[Rung] = []
    for step in sorted(policy.video, key=lambda step: step.width, reverse=True):
        box = (step.height, step.width) if portrait else (step.width, step.height)
        scale = min(box[0] / width, box[1] / height, 1.0)
        size = (_even(width * scale, width), _even(height * scale, height))
        if scale == 1.0:  # the source fits: the smallest box that still holds it gives the rate
            rungs = [_rung(step, size)]
        elif not rungs or rungs[-1].width >= size[0] * SMALLEST_STEP:
            rungs.append(_rung(step, size))
    return tuple(rungs)


def _rung(step: VideoStep, size: tuple[int, int]) -> Rung:
    return Rung(track_id=f"v{step.height}", width=size[0], height=size[1], crf=step.crf, max_kbps=step.max_kbps)


def _even(length: float, source: int) -> int:
    """The nearest even number, which 4:2:0 needs; not above the source."""
    return max(2, min(round(length / 2), source // 2) * 2)
