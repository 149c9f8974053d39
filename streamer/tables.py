"""The tables of the database. Rules about them live in the rooms that own them, named above each."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC, also on SQLite, which forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Names of constraints are fixed, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 SQLAlchemy reads it so
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        int: BigInteger,  # an original has more bytes than PostgreSQL's INTEGER can count
        list[str]: JSON,
    }


# members/


class MemberRow(Base):
    __tablename__ = "members"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    "As typed, case folded."
    password_hash: Mapped[str]
    role: Mapped[str]
    "viewer, studio or admin."
    plan: Mapped[str]
    "Id of a plan in `plans.toml`."
    created_at: Mapped[datetime]


class RefreshTokenRow(Base):
    __tablename__ = "refresh_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    "SHA-256 of the token; the token itself is kept nowhere."
    family: Mapped[str] = mapped_column(String(22), index=True)
    "All tokens that came from one sign-in: the use of a replaced one ends them all."
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class PlaybackSessionRow(Base):
    __tablename__ = "playback_sessions"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    sign_in: Mapped[str] = mapped_column(String(22), index=True)
    "Family of refresh tokens it came from: sign-out ends the session."
    title_id: Mapped[str] = mapped_column(ForeignKey("titles.id", ondelete="CASCADE"))
    version: Mapped[str]
    "As in URLs, with the packaging revision: `v7-p1`."
    scheme: Mapped[str]
    track_ids: Mapped[list[str]]
    player: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    position_s: Mapped[float] = mapped_column(default=0.0)


# catalogue/


class TitleRow(Base):
    __tablename__ = "titles"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    kind: Mapped[str]
    "film, episode, song or album."
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    artist: Mapped[str] = mapped_column(default="")
    album: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    published_version: Mapped[int | None]
    "Number of the version that viewers get; none: unpublished."
    published_at: Mapped[datetime | None]
    last_version: Mapped[int] = mapped_column(default=0)
    "Highest version number ever given out for this title."


class VersionRow(Base):
    """A finished encode: it exists from the moment its `index.json` is stored."""

    __tablename__ = "versions"

    title_id: Mapped[str] = mapped_column(ForeignKey("titles.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    original_id: Mapped[str]
    duration_s: Mapped[float]
    height: Mapped[int] = mapped_column(default=0)
    "Of the best rung; 0 for music."
    poster: Mapped[str] = mapped_column(default="", index=True)
    "Digest of the poster's bytes; empty: none."
    created_at: Mapped[datetime]


# studio/


class UploadRow(Base):
    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    member_id: Mapped[str]
    original_id: Mapped[str] = mapped_column(String(22))
    "Names the object that the upload becomes: `originals/{original_id}`."
    store_upload_id: Mapped[str]
    "What the object store calls the upload."
    length_bytes: Mapped[int | None]
    "None while the length is deferred."
    offset_bytes: Mapped[int] = mapped_column(default=0)
    "What the last finished PATCH left; the object store knows better after a crash."
    metadata_header: Mapped[str] = mapped_column(default="")
    concat: Mapped[str] = mapped_column(default="")
    "`partial`, or `final;` and the parts; empty: neither."
    title_id: Mapped[str]
    publish: Mapped[str] = mapped_column(default="manual")
    "`auto`, `manual` or an RFC 3339 time."
    filename: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class OriginalRow(Base):
    __tablename__ = "originals"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    title_id: Mapped[str] = mapped_column(ForeignKey("titles.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    is_subtitles: Mapped[bool] = mapped_column(default=False)
    "A subtitle file: it belongs to the next film that is uploaded for the title, and makes no job of its own."
    created_at: Mapped[datetime]


class JobRow(Base):
    """The preparation of one version of a title from one original."""

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("title_id", "version"), Index("ix_jobs_state", "state"))

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    title_id: Mapped[str] = mapped_column(ForeignKey("titles.id", ondelete="CASCADE"))
    original_id: Mapped[str] = mapped_column(ForeignKey("originals.id"))
    version: Mapped[int]
    state: Mapped[str]
    "probing, encoding, ready, published, rejected, failed or cancelled."
    stage: Mapped[str] = mapped_column(default="")
    "A sentence: what it does now, or what it waits for."
    progress: Mapped[float] = mapped_column(default=0.0)
    reason_code: Mapped[str] = mapped_column(default="")
    reason_sentence: Mapped[str] = mapped_column(default="")
    publish: Mapped[str] = mapped_column(default="manual")
    member_id: Mapped[str] = mapped_column(default="")
    plan: Mapped[dict[str, Any] | None]
    "Rungs, chunks and the encoder's identity, fixed once."
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TaskRow(Base):
    """The ledger: one row for each thing the engine must do. It is the truth of what is done; the engine only runs."""

    __tablename__ = "tasks"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    "For example `video-3`, `audio-en-1`, `text-de-1`, `poster`."
    state: Mapped[str] = mapped_column(default="waiting")
    "waiting, done, or dropped: its job came to nothing, and what it had stored is gone."
    attempts: Mapped[int] = mapped_column(default=0)
    outputs: Mapped[dict[str, Any] | None]
    "What was stored: `{track: [digest, ...]}`; the facts stand beside the objects."
    last_words: Mapped[str] = mapped_column(default="")
    "What ffmpeg said when the last attempt failed."
    finished_at: Mapped[datetime | None]
