"""How far the record of what was done has come: the cheapest sign that an open page may be out of date.

Everything that is done leaves an audit row, in whichever process; the newest identifier is read from the primary key.
"""

from sqlalchemy import func
from sqlmodel import Session, select

from data.audit import AuditRow


def newest(session: Session) -> int:
    """A number that grows with whatever is done; 0 before anything was."""
    return session.exec(select(func.max(AuditRow.id))).one() or 0
