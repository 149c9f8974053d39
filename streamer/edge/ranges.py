"""Conditional and range requests (RFC 9110, 13 and 14) on representations with a strong ETag and no date."""

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.ASCII | re.IGNORECASE)
_ETAGS = re.compile(r'(?:W/)?"[!#-~\x80-\xff]*"')


class Span(NamedTuple):
    """A part of a representation."""

    offset: int
    size: int


class Unsatisfiable(Exception):
    """No byte of the range asked for exists: 416."""


def requested_span(range_header: str | None, if_range: str | None, etag: str, size: int) -> Span | None:
    """The one range to send; None: the whole. More than one range, or one we cannot read, is answered whole.

    etag: strong, with its quotes.
    size: of the whole, in bytes.

    Raises Unsatisfiable.
    """
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _RANGE.fullmatch(range_header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        wanted = min(int(last), size)
        if wanted == 0:
            raise Unsatisfiable
        return Span(size - wanted, wanted)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    end = min(int(last) + 1, size) if last else size
    return Span(int(first), end - int(first))


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """Whether to answer 304: weak comparison."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in (tag.removeprefix("W/") for tag in _ETAGS.findall(if_none_match))


def is_precondition_met(if_match: str | None, etag: str) -> bool:
    """Whether not to answer 412: strong comparison."""
    return if_match is None or if_match.strip() == "*" or etag in _ETAGS.findall(if_match)
