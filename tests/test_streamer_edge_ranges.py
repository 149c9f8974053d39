import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.edge.ranges import Span, Unsatisfiable, is_precondition_met, is_unchanged, requested_span

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-", Span(0, 1000)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=10-19", Span(10, 10)),
        ("bytes=999-999", Span(999, 1)),
        ("bytes=990-5000", Span(990, 10)),
        ("bytes=-1", Span(999, 1)),
        ("bytes=-5000", Span(0, 1000)),
        ("Bytes=0-1", Span(0, 2)),
        ("bytes= 0-1", Span(0, 2)),
        ("bytes=0-99999999999999999999999999", Span(0, 1000)),
        # Not ours to answer in parts: the whole, as RFC 9110, 14.2 allows.
        ("bytes=0-1,5-6", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=a-b", None),
        ("bytes=+1-2", None),
        ("bytes=1-2x", None),
        ("bytes=\u0661-\u0662", None),
        ("items=0-1", None),
        ("0-1", None),
        ("", None),
    ],
)
def test_one_range_is_honoured_and_all_else_is_the_whole(header: str | None, span: Span | None) -> None:
    assert requested_span(header, None, ETAG, 1000) == span


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
def test_a_range_that_holds_no_byte_is_unsatisfiable(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        requested_span(header, None, ETAG, 1000)


@pytest.mark.parametrize(
    ("if_range", "is_honoured"),
    [
        (None, True),
        (ETAG, True),
        (f" {ETAG} ", True),
        ('"other"', False),
        (f"W/{ETAG}", False),
        ("abc", False),
        ("Sun, 22 Nov 2026 08:00:00 GMT", False),
        ("", False),
    ],
)
def test_a_range_counts_only_if_the_content_is_still_the_same(if_range: str | None, is_honoured: bool) -> None:
    assert (requested_span("bytes=0-1", if_range, ETAG, 1000) is not None) is is_honoured


@given(st.binary(min_size=1, max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_spans_are_what_slices_are(body: bytes, first: int, last: int) -> None:
    try:
        span = requested_span(f"bytes={first}-{last}", None, ETAG, len(body))
    except Unsatisfiable:
        assert body[first:] == b""
        return
    if span is None:
        assert last < first
    else:
        assert body[span.offset : span.offset + span.size] == body[first : last + 1]


@given(st.text(max_size=40), st.integers(0, 100))
def test_no_header_breaks_it_or_reaches_beyond_the_content(header: str, size: int) -> None:
    try:
        span = requested_span(header, None, ETAG, size)
    except Unsatisfiable:
        return
    assert span is None or (0 <= span.offset and span.size >= 1 and span.offset + span.size <= size)


@pytest.mark.parametrize(
    ("header", "matches_weakly", "matches_strongly"),
    [
        ('"abc"', True, True),
        ('W/"abc"', True, False),
        ('"x", "abc"', True, True),
        ('"x",W/"abc"', True, False),
        ("*", True, True),
        ('"x"', False, False),
        ("abc", False, False),
        ("", False, False),
        ('"ab', False, False),
    ],
)
def test_etags_are_compared_weakly_or_strongly(header: str, matches_weakly: bool, matches_strongly: bool) -> None:
    assert is_unchanged(header, ETAG) is matches_weakly
    assert is_precondition_met(header, ETAG) is matches_strongly


def test_no_condition_is_no_condition() -> None:
    assert not is_unchanged(None, ETAG)
    assert is_precondition_met(None, ETAG)
