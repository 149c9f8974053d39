"""The protection schemes a segment may be asked for in."""

from enum import StrEnum


class Scheme(StrEnum):
    """A scheme as it stands in media URLs (ISO/IEC 23001-7, 4.2)."""

    CLEAR = "clear"
    CENC = "cenc"
    CBCS = "cbcs"
