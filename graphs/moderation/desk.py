"""Where people decide: their verdict with what it leads to, in one transaction, before the paused run goes on.

A verdict is held against policy (what the ladder offers, what is for the legal team alone), becomes messages and a
memory item, and is recorded if the claim still holds. Everything here runs inside the caller's transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from data import cases, claims, decisions, handovers, reviews
from data.cases import row_of
from data.review_rules import row_for
from domain.case import Case
from domain.errors import CupidsShieldError, Invalid, NotPermitted, StaleVersion
from domain.ids import new_id
from domain.notification import Message
from domain.review import BulkOutcome, Decided, HumanDecision, ReviewItem, ReviewKind, Verdict
from domain.staff import Staff
from domain.vocabulary import DecisionKind, Route
from graphs.moderation.messages import messages_of_person, statement
from graphs.moderation.records import memory_of_person
from policies.model import PolicySet
from policies.offers import offered, reserved_for
from policies.queue import again, asked

MOST = 100
"""Items that one bulk act decides at most: a person must have seen each."""

AppealUrl = Callable[[Case], str]


@dataclass(frozen=True)
class Desk:
    """`appeal_url` gives the address at which a user appeals a case."""

    policies: PolicySet
    appeal_url: AppealUrl | None = None

    def decide(
        self,
        session: Session,
        *,
        staff: Staff,
        review_id: str,
        epoch: int,
        verdict: Verdict,
        bulk_id: str | None = None,
    ) -> Decided:
        """Record a verdict on a case, or a blind second one. Raises what `decisions.decide` raises, Invalid for an
        action that the ladder does not offer, NotPermitted for what the legal team alone decides."""
        self._check(staff, verdict)
        item = row_for(session, staff=staff, review_id=review_id)
        case = cases.get(session, app_id=item.app_id, case_id=item.case_id)
        first = item.kind == ReviewKind.CASE
        return decisions.decide(
            session,
            staff=staff,
            review_id=review_id,
            epoch=epoch,
            decision=HumanDecision(case_id=case.id, reviewer=staff.id, **dict(verdict)),
            messages=self._messages(case, verdict) if first else (),
            memory=memory_of_person(case, verdict) if first else None,
            undo=self.policies.thresholds.queue.undo,
            bulk_id=bulk_id,
        )

    def decide_many(
        self, session: Session, *, staff: Staff, review_ids: Sequence[str], verdict: Verdict
    ) -> BulkOutcome:
        """Claim and decide each of a selection, each for itself; `lost` says why one was not. Raises Invalid for none
        or too many, and what a verdict alone can be refused for."""
        wanted = tuple(dict.fromkeys(review_ids))
        if not 0 < len(wanted) <= MOST:
            raise Invalid(f"choose between 1 and {MOST} items")
        self._check(staff, verdict)
        bulk_id, lease = new_id("bulk"), self.policies.thresholds.queue.lease
        done, lost = [], {}
        for review_id in wanted:
            try:
                with session.begin_nested():
                    item = claims.claim(session, staff=staff, review_id=review_id, lease=lease)
                    if item.kind is not ReviewKind.CASE:
                        raise Invalid("appeals and second looks are decided one by one")
                    self.decide(
                        session,
                        staff=staff,
                        review_id=review_id,
                        epoch=item.epoch,
                        verdict=verdict,
                        bulk_id=bulk_id,
                    )
                done.append(review_id)
            except CupidsShieldError as error:
                lost[review_id] = str(error)
        return BulkOutcome(bulk_id=bulk_id, done=tuple(done), lost=lost)

    def ask(
        self, session: Session, *, staff: Staff, review_id: str, epoch: int, route: Route, text: str, at: datetime
    ) -> ReviewItem:
        """Put an item before seniors or the legal team. Raises what `handovers.ask` raises."""
        app_id = row_for(session, staff=staff, review_id=review_id).app_id
        place = asked(reviews.get(session, app_id=app_id, review_id=review_id), route, self.policies, at=at)
        return handovers.ask(session, staff=staff, review_id=review_id, epoch=epoch, place=place, text=text)

    def reopen(self, session: Session, *, staff: Staff, case: Case, at: datetime) -> ReviewItem:
        """Put a case before people once more that nobody looks at. Raises StaleVersion where somebody does already."""
        row_of(session, app_id=case.app_id, case_id=case.id, to_change=True)
        if reviews.waiting(session, app_id=case.app_id, case_id=case.id):
            raise StaleVersion("this case waits for people already; open it from the queue")
        item = again(case, self.policies, at=at)
        reviews.add(session, item)
        claims.note(session, staff=staff, item=item, said="reopened")
        return item

    def preview(self, case: Case, verdict: Verdict) -> Message | None:
        """Exactly what the user will read, or None where they will read nothing."""
        return statement(case, verdict, self.policies, appeal_url=self._url(case))

    def _messages(self, case: Case, verdict: Verdict) -> Sequence[Message]:
        return messages_of_person(case, verdict, self.policies, appeal_url=self._url(case))

    def _url(self, case: Case) -> str | None:
        return self.appeal_url(case) if self.appeal_url else None

    def _check(self, staff: Staff, verdict: Verdict) -> None:
        if verdict.kind is not DecisionKind.REJECTED:
            return
        if verdict.policy is None or verdict.severity is None or verdict.action is None:
            raise Invalid("a rejection names the policy, the severity and the action")
        reserved = reserved_for(verdict.policy, verdict.severity, self.policies)
        if reserved is not None and reserved not in staff.routes:
            raise NotPermitted(f"this is for {reserved} to decide; ask them")
        offer = offered(verdict.policy, verdict.severity, self.policies)
        if verdict.action not in offer.actions:
            raise Invalid(f"the ladder of {verdict.policy} offers {', '.join(offer.actions)}")
