"""What flows through the appeals graph. Its nodes work with the same services as those of the moderation graph."""

from typing import TypedDict

from domain.appeal import Appeal
from domain.assessment import Assessment
from domain.case import Case
from domain.history import SubjectHistory
from domain.memory import Precedent


class AppealState(TypedDict, total=False):
    """One appeal on its way. `app_id` and `appeal_id` alone survive in a checkpoint while people decide.

    `unavailable` names servers that were needed and did not answer; `standing` says that this appeal was taken in and
    prepared before; `settled` that a person's decision can no longer be undone.
    """

    app_id: str
    appeal_id: str
    case_id: str
    user_id: str
    explanation: str
    new_evidence: str | None
    appeal: Appeal
    standing: bool
    case: Case
    history: SubjectHistory | None
    similar: tuple[Precedent, ...]
    reread: Assessment | None
    unavailable: tuple[str, ...]
    settled: bool
