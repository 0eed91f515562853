"""Saved views and snippets: each person's own, and the snippets that leads keep for all."""

from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, func, or_
from sqlmodel import Session, col, select

from data.staff_table import SavedViewRow, SnippetRow
from domain.clock import now
from domain.errors import Invalid, NotFound
from domain.ids import new_id
from domain.keepsakes import SavedView, Snippet
from domain.staff import Right, Staff

MOST = 100
"""Views, and snippets, that one person may keep."""


def views(session: Session, *, staff: Staff) -> tuple[SavedView, ...]:
    """A person's views, by name."""
    rows = session.exec(
        select(SavedViewRow)
        .where(SavedViewRow.staff_id == staff.id)
        .order_by(func.lower(SavedViewRow.name), col(SavedViewRow.id))
    )
    return tuple(SavedView(id=row.id, name=row.name, query=row.query, created_at=row.created_at) for row in rows)


def save_view(session: Session, *, staff: Staff, name: str, query: str) -> SavedView:
    """Keep a view under a name; the same name again replaces it. Raises Invalid."""
    view: SavedView = _made(SavedView, id=new_id("view"), name=name.strip(), query=query, created_at=now())
    session.execute(
        delete(SavedViewRow).where(col(SavedViewRow.staff_id) == staff.id, col(SavedViewRow.name) == view.name)
    )
    _require_room(len(views(session, staff=staff)))
    session.add(SavedViewRow(staff_id=staff.id, **view.model_dump()))
    session.flush()
    return view


def forget_view(session: Session, *, staff: Staff, view_id: str) -> None:
    """Remove one's own view. Raises NotFound, alike for another's and an absent one."""
    mine = (col(SavedViewRow.id) == view_id, col(SavedViewRow.staff_id) == staff.id)
    _require_found(session.execute(delete(SavedViewRow).where(*mine)))


def snippets(session: Session, *, staff: Staff) -> tuple[Snippet, ...]:
    """A person's snippets and everybody's, by title."""
    rows = session.exec(
        select(SnippetRow)
        .where(or_(col(SnippetRow.staff_id) == staff.id, col(SnippetRow.staff_id).is_(None)))
        .order_by(func.lower(SnippetRow.title), col(SnippetRow.id))
    )
    return tuple(
        Snippet(id=row.id, title=row.title, text=row.text, shared=row.staff_id is None, created_at=row.created_at)
        for row in rows
    )


def save_snippet(session: Session, *, staff: Staff, title: str, text: str, shared: bool = False) -> Snippet:
    """Keep a snippet. Raises Invalid, and NotPermitted where a shared one is not the person's to keep."""
    if shared:
        staff.require(Right.LEAD_QUALITY)
    made: Snippet = _made(
        Snippet, id=new_id("snippet"), title=title.strip(), text=text.strip(), shared=shared, created_at=now()
    )
    _require_room(sum(kept.shared == shared for kept in snippets(session, staff=staff)))
    owner = None if shared else staff.id
    session.add(SnippetRow(staff_id=owner, **made.model_dump(exclude={"shared"})))
    session.flush()
    return made


def forget_snippet(session: Session, *, staff: Staff, snippet_id: str) -> None:
    """Remove one's own snippet, or, for leads, a shared one. Raises NotFound like `forget_view`."""
    owned = col(SnippetRow.staff_id) == staff.id
    theirs = or_(owned, col(SnippetRow.staff_id).is_(None)) if staff.may(Right.LEAD_QUALITY) else owned
    _require_found(session.execute(delete(SnippetRow).where(col(SnippetRow.id) == snippet_id, theirs)))


def _made(shape: Any, **values: Any) -> Any:
    try:
        return shape(**values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise Invalid(problems) from error


def _require_room(kept: int) -> None:
    if kept >= MOST:
        raise Invalid(f"at most {MOST} are kept; remove one first")


def _require_found(done: Any) -> None:
    if done.rowcount != 1:
        raise NotFound("there is no such thing of yours")
