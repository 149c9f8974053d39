"""What an upload is refused for.

UploadError                 the message is written for whoever uploads
├── UploadGone              it stood still for too long
├── UploadForbidden         not with an upload of this kind
├── UploadLocked            something else is being done with it at this moment
├── WrongOffset             bytes were offered for another place than its end
├── WrongChecksum           the bytes are not those that the checksum was made of
├── WrongContentType        a body that is not the bytes of an upload
├── UnknownProtocol         another version of tus than ours
├── TooLarge                more than it was announced to have, or than we take
├── BodyStalled             no byte came for too long; what had come is kept
└── BodyCut                 the connection broke; what had come is kept
"""

from streamer.errors import StreamerError


class UploadError(StreamerError):
    pass


class UploadGone(UploadError):
    pass


class UploadForbidden(UploadError):
    pass


class UploadLocked(UploadError):
    pass


class WrongOffset(UploadError):
    pass


class WrongChecksum(UploadError):
    pass


class WrongContentType(UploadError):
    pass


class UnknownProtocol(UploadError):
    pass


class TooLarge(UploadError):
    pass


class BodyStalled(UploadError):
    pass


class BodyCut(UploadError):
    pass
