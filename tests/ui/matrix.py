"""What the authorisation matrix must know of pages that it cannot work out: pages open to all, and things to ask for.

A new page is in the matrix by itself. Where its path names a thing, `FOREIGN` says how to make one of another tenant;
where it takes a form, `FORMS` gives one that would be accepted, so that the refusal is not that of a bad form.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlmodel import Session

from data import apps, cases, staff_sessions
from data import staff as accounts
from domain.ids import new_id
from domain.staff import Role
from domain.vocabulary import DecisionKind
from tests import factories

OPEN = {
    "GET /login",
    "POST /login",
    "GET /login/oidc",
    "GET /login/oidc/return",
}
"""Pages that need no session: each is here because somebody thought about it."""

NO_TENANT = {"staff_id"}
"""Parameters that name what belongs to no tenant: accounts, which administrators alone see."""

FORMS: dict[str, dict[str, str]] = {}
"""By path, a form that would be accepted of the right person."""


def _foreign_app(session: Session) -> str:
    return apps.get_or_create(session, name=new_id("foreign")).id


def _case(session: Session) -> str:
    return _recorded(session)[0]


def _review(session: Session) -> str:
    return _recorded(session)[1]


def _recorded(session: Session) -> tuple[str, str]:
    content = factories.content(app_id=_foreign_app(session))
    record = factories.record(content, factories.decision(DecisionKind.ESCALATED))
    review = factories.review(record, due_in=timedelta(hours=1))
    cases.record(
        session, record=record, review=review, messages=(), memory=None, actor=factories.person(content.app_id)
    )
    return record.case_id, review.id


def _session(session: Session) -> str:
    other = accounts.create(
        session,
        email=f"{new_id('mail')}@example.org",
        name="Other",
        role=Role.MODERATOR,
        app_ids=[],
        password_hash=None,
        by="system:test",
    )
    staff_sessions.begin(session, staff_id=other.id, client="")
    return staff_sessions.list_for(session, staff_id=other.id)[0].id


FOREIGN: dict[str, Callable[[Session], str]] = {
    "case_id": _case,
    "review_id": _review,
    "session_id": _session,
}
"""By the name of a path's parameter, how to make such a thing that belongs to another tenant or person."""
