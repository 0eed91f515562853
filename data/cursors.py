"""Cursors of lists that run by moment and identifier: where a page ended, opaque to who carries it."""

import base64
import json
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from domain.errors import Invalid

NOT_OURS = "this cursor is not one of ours; begin again without a cursor"


def cursor_of(at: datetime, identifier: str) -> str:
    """The cursor behind the last entry of a page."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), identifier]).encode()).decode()


def opened(cursor: str) -> tuple[datetime, str]:
    """The moment and identifier in a cursor. Raises Invalid for one that is not ours."""
    try:
        at, identifier = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(identifier, str):
            raise ValueError
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid(NOT_OURS) from error
    return moment, identifier


def older(cursor: str, at: Any, identifier: Any) -> ColumnElement[bool]:
    """What a list that runs from the newest on shows behind a cursor; `at` and `identifier` are its columns."""
    moment, last = opened(cursor)
    return or_(at < moment, and_(at == moment, identifier < last))
