"""Cursors of lists that run by moment and identifier: where a page ended, opaque to who carries it."""

import base64
import json
from datetime import datetime

from domain.errors import Invalid


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
        raise Invalid("this cursor is not one of ours; begin again without a cursor") from error
    return moment, identifier
