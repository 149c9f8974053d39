"""What can be wrong with media, and with what is asked of it.

MediaError              the bytes are malformed or of a kind we do not support
├── Truncated           a box or sample ends before its stated size
├── Unsupported         well-formed, but outside what we package
└── NoSuchSegment       the title has no such track, or the track no segment of that number
"""


class MediaError(Exception):
    """Base: the message is written for whoever supplied the media."""


class Truncated(MediaError):
    pass


class Unsupported(MediaError):
    pass


class NoSuchSegment(MediaError):
    pass
