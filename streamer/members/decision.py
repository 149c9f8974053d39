"""What a member may see: one pure decision, with its reasons."""

from collections.abc import Iterable
from dataclasses import dataclass

from config.plans import Plan
from manifests.index import Kind, Track
from streamer.errors import Reason
from streamer.members.accounts import Member


@dataclass(frozen=True, slots=True)
class Decision:
    """The tracks that a member may be given, and why not more."""

    track_ids: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()

    @property
    def is_allowed(self) -> bool:
        return bool(self.track_ids)


def reasons_against(member: Member, plan: Plan | None, title_kind: str) -> tuple[Reason, ...]:
    """Why a member may not open titles of a kind at all; none: they may. Studio members see everything.

    plan: the member's; None if the plan is no longer offered.
    """
    if member.is_studio:
        return ()
    if plan is None:
        return (Reason("plan-unknown", "Your plan is no longer offered."),)
    if title_kind not in plan.kinds:
        return (Reason("plan-kind", f"The plan {plan.name} does not include {title_kind}s."),)
    return ()


def decide(member: Member, plan: Plan | None, title_kind: str, tracks: Iterable[Track]) -> Decision:
    """Which tracks of a version a member may be given.

    A version with pictures is refused if the plan allows none of them; sound alone would not be the title.
    """
    tracks = tuple(tracks)
    if against := reasons_against(member, plan, title_kind):
        return Decision((), against)
    allowed = tuple(track for track in tracks if member.is_studio or (plan and _is_within(plan, track)))
    track_ids = tuple(track.id for track in allowed)
    if len(allowed) == len(tracks):
        return Decision(track_ids)
    assert plan is not None
    best = Reason("plan-height", f"The plan {plan.name} gives pictures up to {plan.max_height}p.")
    has_pictures = any(track.kind is Kind.VIDEO for track in allowed)
    return Decision(track_ids if has_pictures else (), (best,))


def _is_within(plan: Plan, track: Track) -> bool:
    """Whether the 16:9 frame that holds the picture, upright or lying, is no larger than the plan's."""
    if track.kind is not Kind.VIDEO:
        return True
    long, short = max(track.width, track.height), min(track.width, track.height)
    # Two columns of slack: widths are rounded to even numbers (854 for 480 rows).
    return short <= plan.max_height and (long - 2) * 9 <= plan.max_height * 16
