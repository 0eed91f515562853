"""The review queue as people read it: what they filter by, one line of it, a page, and the counts over it."""

from enum import StrEnum

from pydantic import Field

from domain.base import Frozen
from domain.review import ReviewItem, ReviewKind
from domain.vocabulary import ContentType, Policy, Priority, Route, Severity

PAGE = 50
MOST = 100


class QueueStatus(StrEnum):
    """How an item stands for the person who looks: free, held by a claim, by their own claim, or put off."""

    PENDING = "pending"
    IN_REVIEW = "in_review"
    MINE = "mine"
    HELD = "held"


class QueueFilter(Frozen):
    """Which open items are wanted; every field that is set narrows the answer.

    `text` is the identifier of the case or of its author, or occurs in the content of one of the items that press most.
    `mine` as a status is what the person holds and what was handed to them.
    """

    app_id: str | None = None
    route: Route | None = None
    policy: Policy | None = None
    severity: Severity | None = None
    priority: Priority | None = None
    kind: ReviewKind | None = None
    status: QueueStatus | None = None
    overdue: bool = False
    min_risk: float | None = Field(default=None, ge=0, le=1)
    text: str | None = Field(default=None, min_length=1, max_length=200)


class QueueLine(Frozen):
    """One line of the queue. `holder` and `handed_to` are names of people; `excerpt` holds at most 160 characters."""

    item: ReviewItem
    status: QueueStatus
    overdue: bool
    content_type: ContentType
    user_id: str
    excerpt: str
    confidence: float
    holder: str | None = None
    handed_to: str | None = None


class QueuePage(Frozen):
    """A page of the queue. The cursors open the pages around it; None where there is none."""

    lines: tuple[QueueLine, ...]
    next_cursor: str | None = None
    previous_cursor: str | None = None


class QueueCounts(Frozen):
    """How many open items a person may take, on hold or not, in all and by what the badges show."""

    total: int = 0
    overdue: int = 0
    by_route: dict[Route, int] = Field(default_factory=dict)
    by_priority: dict[Priority, int] = Field(default_factory=dict)
    by_kind: dict[ReviewKind, int] = Field(default_factory=dict)
