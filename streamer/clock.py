"""The one clock. Everything else is given the time, or a function that tells it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
