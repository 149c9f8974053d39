"""What is known of a title and its versions, and the one query that finds it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import aliased

from streamer.tables import JobRow, TitleRow, VersionRow


@dataclass(frozen=True, slots=True)
class Version:
    """A finished encode of a title."""

    title_id: str
    number: int
    original_id: str
    duration_s: float
    height: int
    "Of the best rung; 0 for music."
    poster: str
    "Digest of the poster's bytes; empty: none."
    created_at: datetime

    @classmethod
    def of(cls, row: VersionRow) -> Self:
        return cls(
            title_id=row.title_id,
            number=row.number,
            original_id=row.original_id,
            duration_s=row.duration_s,
            height=row.height,
            poster=row.poster,
            created_at=row.created_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A title as it is listed and shown."""

    id: str
    kind: str
    name: str
    description: str
    artist: str
    album: str
    created_at: datetime
    published_version: int | None
    published_at: datetime | None
    state: str
    "draft, encoding, ready, published, failed, rejected or cancelled."
    version: Version | None
    "The published version, or the newest while none is published."


def titles_query() -> Select[TitleRow, VersionRow | None, str | None]:
    """Titles with the version to show and the state of the newest job."""
    newest = (
        select(func.max(VersionRow.number))
        .where(VersionRow.title_id == TitleRow.id)
        .correlate(TitleRow)
        .scalar_subquery()
    )
    other = aliased(JobRow)
    newest_job = select(func.max(other.version)).where(other.title_id == TitleRow.id).correlate(TitleRow)
    shown = func.coalesce(TitleRow.published_version, newest)
    return (
        select(TitleRow, VersionRow, JobRow.state)
        .outerjoin(VersionRow, and_(VersionRow.title_id == TitleRow.id, VersionRow.number == shown))
        .outerjoin(JobRow, and_(JobRow.title_id == TitleRow.id, JobRow.version == newest_job.scalar_subquery()))
    )


def in_state(row: TitleRow, version: VersionRow | None, job_state: str | None) -> Title:
    return Title(
        id=row.id,
        kind=row.kind,
        name=row.name,
        description=row.description,
        artist=row.artist,
        album=row.album,
        created_at=row.created_at,
        published_version=row.published_version,
        published_at=row.published_at,
        state=_state(row.published_version, version is not None, job_state),
        version=Version.of(version) if version else None,
    )


def _state(published_version: int | None, has_version: bool, job_state: str | None) -> str:
    if published_version is not None:
        return "published"
    if job_state in ("probing", "encoding"):
        return "encoding"
    if has_version:
        return "ready"
    return job_state if job_state in ("failed", "rejected", "cancelled") else "draft"
