"""Whether a token stands for a path: tuples are compared, no expression is run."""

from streamer.edge.paths import InitSegment, MediaPath, MediaPlaylist, MediaSegment, TextFile, TextSegment
from streamer.errors import NotAuthorised
from streamer.members.playback_tokens import Grant


def authorise(grant: Grant, path: MediaPath) -> None:
    """Raises NotAuthorised unless the path's title, version, scheme and track are the grant's."""
    resource = path.resource
    allowed = (grant.title_id, grant.version) == (path.title_id, path.version)
    if isinstance(resource, InitSegment | MediaSegment | TextSegment | TextFile):
        allowed = allowed and resource.scheme is grant.scheme
    if isinstance(resource, InitSegment | MediaSegment | TextSegment | TextFile | MediaPlaylist):
        allowed = allowed and resource.track_id in grant.track_ids
    if not allowed:
        raise NotAuthorised("the token is for other tracks")
