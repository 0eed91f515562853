"""A statement of reasons: what a user is told of a decision about them, in plain words."""

from enum import StrEnum

from pydantic import AwareDatetime

from domain.appeal import AppealStatus
from domain.base import Frozen
from domain.vocabulary import ContentType


class Stand(StrEnum):
    """How a decision stands for the one it is about."""

    WAITING = "waiting"
    FINE = "fine"
    SUPPORTED = "supported"
    RESTRICTED = "restricted"
    LIFTED = "lifted"


class Statement(Frozen):
    """One decision, to the one it is about. Names no moderator and no other user.

    `appeal_until` is set while an appeal can be sent, `no_appeal` says why none can, `answer` what the person wrote who
    decided an appeal.
    """

    case_id: str
    content_type: ContentType
    text: str
    stand: Stand
    headline: str
    what: str
    ends_at: AwareDatetime | None = None
    rule_title: str | None = None
    rule: str | None = None
    facts: tuple[str, ...] = ()
    automated: str
    decided_at: AwareDatetime
    appeal_until: AwareDatetime | None = None
    no_appeal: str | None = None
    appeal: AppealStatus | None = None
    appeal_due_at: AwareDatetime | None = None
    answer: str | None = None
