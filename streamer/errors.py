"""What the streamer refuses, or cannot do, on purpose.

StreamerError               the message is written for whoever made the request
├── InvalidRequest          malformed, or a value outside its bounds
│   └── BadMediaPath        not of the grammar of media paths
├── NotSignedIn             who asks is not known
│   ├── WrongPassword       no member has this address and password
│   └── RefreshRefused      a refresh token that is unknown, expired, or was used before
├── TokenRefused            a token outside its profile, expired, or not ours
├── SessionEnded            the playback session was ended
├── NotAuthorised           the token stands for other tracks than the path
├── RoleRequired            for members of another role
├── NotEntitled             the member's plan does not open this; carries the reasons
├── NotFound                nothing of this name (or nothing that the member may know of)
├── Conflict                the state of things does not allow it now
│   └── EmailTaken          a member with this address exists
├── TooManyAttempts         wait; says how long
├── DatabaseUnavailable     the database cannot be reached or does not answer; trying again may help
└── CannotStart             the process cannot serve; the message says what to do
"""

from collections.abc import Sequence
from typing import NamedTuple


class Reason(NamedTuple):
    """Why a member may not, or not so well: a stable code and a sentence for a person."""

    code: str
    sentence: str


class StreamerError(Exception):
    """Base of the streamer's errors."""


class InvalidRequest(StreamerError):
    pass


class BadMediaPath(InvalidRequest):
    pass


class NotSignedIn(StreamerError):
    pass


class WrongPassword(NotSignedIn):
    pass


class RefreshRefused(NotSignedIn):
    pass


class TokenRefused(StreamerError):
    pass


class SessionEnded(StreamerError):
    pass


class NotAuthorised(StreamerError):
    pass


class RoleRequired(StreamerError):
    pass


class NotEntitled(StreamerError):
    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(" ".join(reason.sentence for reason in reasons))
        self.reasons = tuple(reasons)


class NotFound(StreamerError):
    pass


class Conflict(StreamerError):
    pass


class EmailTaken(Conflict):
    pass


class TooManyAttempts(StreamerError):
    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DatabaseUnavailable(StreamerError):
    pass


class CannotStart(StreamerError):
    pass
