from dataclasses import replace

import pytest

from drm.scheme import Scheme
from streamer.edge.authorise import authorise
from streamer.edge.paths import (
    InitSegment,
    MediaPath,
    MediaPlaylist,
    MediaSegment,
    Mpd,
    Multivariant,
    Resource,
    TextFile,
    TextSegment,
)
from streamer.errors import NotAuthorised
from streamer.members.playback_tokens import Grant

GRANT = Grant("title", "v7-p1", Scheme.CLEAR, ("v540", "t-de-1"), "session", "shaka")


def _resources(track_id: str, scheme: Scheme = Scheme.CLEAR) -> list[Resource]:
    return [
        MediaPlaylist(track_id),
        InitSegment(scheme, track_id),
        MediaSegment(scheme, track_id, 1),
        TextSegment(scheme, track_id, 1),
        TextFile(scheme, track_id),
    ]


@pytest.mark.parametrize("resource", [Multivariant(), Mpd(), *_resources("v540"), *_resources("t-de-1")])
def test_a_token_opens_what_it_names(resource: Resource) -> None:
    authorise(GRANT, MediaPath("", "title", "v7-p1", resource))


@pytest.mark.parametrize("resource", [*_resources("v1080"), *_resources("v540", Scheme.CENC)[1:]])
def test_a_token_opens_no_other_track_and_no_other_scheme(resource: Resource) -> None:
    with pytest.raises(NotAuthorised):
        authorise(GRANT, MediaPath("", "title", "v7-p1", resource))


@pytest.mark.parametrize("path", [MediaPath("", "other", "v7-p1", Mpd()), MediaPath("", "title", "v8-p1", Mpd())])
def test_a_token_opens_no_other_title_and_no_other_version(path: MediaPath) -> None:
    with pytest.raises(NotAuthorised):
        authorise(GRANT, path)
    with pytest.raises(NotAuthorised):
        authorise(GRANT, replace(path, resource=MediaSegment(Scheme.CLEAR, "v540", 1)))
