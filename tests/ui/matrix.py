"""What the authorisation matrix must know of pages that it cannot work out: pages open to all, and things to ask for.

A new page is in the matrix by itself. Where its path names a thing, `FOREIGN` says how to make one of another tenant;
where it takes a form, `FORMS` gives one that would be accepted, so that the refusal is not that of a bad form.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlmodel import Session

from data import appeals, apps, cases, claims, decisions, keepsakes, reviews, staff_sessions
from data import staff as accounts
from data.case_table import CaseRow
from domain.ids import new_id
from domain.review import Decided, ReviewKind
from domain.staff import Role, Staff
from domain.vocabulary import DecisionKind
from tests import factories

OPEN = {
    "GET /login",
    "POST /login",
    "GET /login/oidc",
    "GET /login/oidc/return",
    "GET /decisions/{token}",
    "POST /decisions/{token}",
}
"""Pages that need no session: each is here because somebody thought about it."""

NO_TENANT = {"staff_id", "table"}
"""Parameters that name what belongs to no tenant: accounts, which administrators alone see, and tables of numbers,
which are those of one's own apps."""

ENDLESS = {"/queue/events"}
"""Streams: to let somebody in they answer for minutes. `test_live.py` shows that they do."""

FORMS: dict[str, dict[str, str]] = {
    "/quality/settle": {"decision": "decision_x", "right": "first"},
    "/quality/golden": {"case": "case_x", "answer": "approved"},
}
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


def _other(session: Session) -> Staff:
    return accounts.create(
        session,
        email=f"{new_id('mail')}@example.org",
        name="Other",
        role=Role.MODERATOR,
        app_ids=[],
        password_hash=None,
        by="system:test",
    )


def _session(session: Session) -> str:
    other = _other(session)
    staff_sessions.begin(session, staff_id=other.id, client="")
    return staff_sessions.list_for(session, staff_id=other.id)[0].id


def _view(session: Session) -> str:
    return keepsakes.save_view(session, staff=_other(session), name="Theirs", query="route=moderator").id


def _snippet(session: Session) -> str:
    return keepsakes.save_snippet(session, staff=_other(session), title="Theirs", text="Theirs.").id


def _appeal(session: Session) -> str:
    case_id, review_id = _recorded(session)
    made = factories.appeal(_app_of(session, case_id), case_id)
    item = reviews.get(session, app_id=made.app_id, review_id=review_id)
    asked = item.model_copy(update={"id": new_id("review"), "kind": ReviewKind.APPEAL, "appeal_id": made.id})
    return appeals.file(session, appeal=made, review=asked, actor=factories.person(made.app_id)).id


def _decided(session: Session) -> Decided:
    case_id, review_id = _recorded(session)
    other = factories.staff(new_id("staff"), app_ids=(_app_of(session, case_id),))
    lease = undo = timedelta(minutes=5)
    held = claims.claim(session, staff=other, review_id=review_id, lease=lease)
    return decisions.decide(
        session,
        staff=other,
        review_id=review_id,
        epoch=held.epoch,
        decision=factories.human(case_id, reviewer=other.id),
        messages=[],
        memory=None,
        undo=undo,
        bulk_id=new_id("bulk"),
    )


def _app_of(session: Session, case_id: str) -> str:
    row = session.get(CaseRow, case_id)
    assert row is not None
    return row.app_id


FOREIGN: dict[str, Callable[[Session], str]] = {
    "case_id": _case,
    "review_id": _review,
    "session_id": _session,
    "view_id": _view,
    "snippet_id": _snippet,
    "appeal_id": _appeal,
    "decision_id": lambda session: _decided(session).id,
    "bulk_id": lambda session: str(_decided(session).bulk_id),
}
"""By the name of a path's parameter, how to make such a thing that belongs to another tenant or person."""
