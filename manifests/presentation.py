"""What one viewer is offered: tracks as switching sets, in a stable order, under one protection scheme."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from manifests.errors import MediaError
from manifests.index import Kind, TitleIndex, Track
from manifests.languages import UNDETERMINED, language_name

PACKAGING_REVISION = 1
"Raised by any change of the bytes we send: it stands in all media URLs (`v7-p1`), which caches keep for ever."


@dataclass(frozen=True, slots=True)
class SwitchingSet:
    """Tracks of the same content that a player may switch between at any segment."""

    kind: Kind
    language: str
    role: str
    name: str
    "For a menu; no two sets of one kind in a presentation have the same."
    tracks: tuple[Track, ...]
    "Best first."


@dataclass(frozen=True, slots=True)
class Presentation:
    """What one manifest shows."""

    scheme: str
    "`clear`, or the protection scheme: the part of every segment's URL."
    sets: tuple[SwitchingSet, ...]
    "Video, then audio with the main one first, then text."
    duration_s: Fraction
    "Of the longest track with picture or sound, exact."

    def sets_of(self, kind: Kind) -> tuple[SwitchingSet, ...]:
        return tuple(switching_set for switching_set in self.sets if switching_set.kind is kind)

    def track(self, track_id: str) -> Track:
        """Raises MediaError if this viewer is offered no such track."""
        for switching_set in self.sets:
            for track in switching_set.tracks:
                if track.id == track_id:
                    return track
        raise MediaError(f"presentation has no track {track_id!r}")


def select_tracks(index: TitleIndex, allowed: Collection[str], scheme: str) -> Presentation:
    """The presentation of the tracks whose ids are allowed; ids that the title does not have are no matter.

    Raises MediaError if neither picture nor sound is left.
    """
    tracks = [track for track in index.tracks if track.id in allowed]
    timed = [Fraction(track.duration_ticks, track.timescale) for track in tracks if track.kind is not Kind.TEXT]
    if not timed:
        raise MediaError(f"title {index.title_id} has no track with picture or sound that is allowed")
    sets = [switching_set for kind in Kind for switching_set in _sets(kind, tracks)]
    return Presentation(scheme, tuple(sets), max(timed))


ROLE_ORDER = ("main", "subtitle", "dub", "alternate", "caption", "forced-subtitle", "description", "commentary")


def _sets(kind: Kind, tracks: Iterable[Track]) -> list[SwitchingSet]:
    """Sets in order of their roles, otherwise as in the index."""
    of_kind = [track for track in tracks if track.kind is kind]
    positions: dict[tuple[str, ...], int] = {}
    for track in of_kind:
        positions.setdefault(_same_content(track), len(positions))
    of_kind.sort(key=lambda track: (_role_rank(track), positions[_same_content(track)]))
    groups = [tuple(sorted(group, key=_quality, reverse=True)) for _, group in groupby(of_kind, key=_same_content)]
    names: list[str] = []
    for group in groups:
        names.append(_unique(_menu_name(group[0]), names))
    return [
        SwitchingSet(kind, group[0].language, group[0].role, name, group)
        for group, name in zip(groups, names, strict=True)
    ]


def _same_content(track: Track) -> tuple[str, ...]:
    """What tracks must share to be rungs of one set: a player changes neither codec (`avc1` at any level) nor channels.

    Text has no rungs: two tracks in one language are two texts.
    """
    own = track.id if track.kind is Kind.TEXT else ""
    return track.role, track.language, track.name, track.codec.split(".")[0], str(track.channels), own


def _role_rank(track: Track) -> int:
    return ROLE_ORDER.index(track.role) if track.role in ROLE_ORDER else len(ROLE_ORDER)


def _quality(track: Track) -> tuple[int, int]:
    return track.height, track.peak_bps


def _menu_name(track: Track) -> str:
    if track.name:
        return track.name
    language = "" if track.language == UNDETERMINED else language_name(track.language)
    suffix = {
        "caption": "captions",
        "forced-subtitle": "forced",
        "description": "audio description",
        "commentary": "commentary",
        "alternate": "alternate",
    }.get(track.role, "")
    if language:
        return f"{language} ({suffix})" if suffix else language
    return suffix.capitalize() or track.kind.capitalize()


def _unique(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
