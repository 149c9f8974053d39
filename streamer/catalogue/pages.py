"""Pages of a list: filters, and cursors that hold their place while titles come and go."""

import base64
import binascii
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, tuple_

from streamer.catalogue.titles import Title
from streamer.errors import InvalidRequest
from streamer.tables import TitleRow

LONGEST_PAGE = 100


class Page(NamedTuple):
    titles: tuple[Title, ...]
    next_cursor: str | None
    "None: this is the last page."


def matching(text: str, kind: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if text:
        columns = (TitleRow.name, TitleRow.artist, TitleRow.album)
        found = [column.icontains(text, autoescape=True) for column in columns]
        conditions.append(found[0] | found[1] | found[2])
    if kind:
        conditions.append(TitleRow.kind == kind)
    return conditions


def after(cursor: str) -> list[ColumnElement[bool]]:
    """What comes after a cursor, the newest first. Raises InvalidRequest."""
    if not cursor:
        return []
    try:
        created, title_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        created_at = datetime.fromisoformat(created)
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest("the cursor is not one of ours") from error
    if created_at.tzinfo is None:
        raise InvalidRequest("the cursor is not one of ours")
    return [tuple_(TitleRow.created_at, TitleRow.id) < (created_at, title_id)]


def cursor_of(title: Title) -> str:
    return base64.urlsafe_b64encode(f"{title.created_at.isoformat()} {title.id}".encode()).decode()
