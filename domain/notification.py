"""Messages that the service owes somebody: the app, the user, the moderators."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, JsonValue

from domain.base import Frozen


class Audience(StrEnum):
    APP = "app"
    USER = "user"
    MODERATORS = "moderators"
    REPORTER = "reporter"


class NotificationStatus(StrEnum):
    """`dead`: given up. `withdrawn`: what it told of was undone before it left the house."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    WITHDRAWN = "withdrawn"


class Message(Frozen):
    """What is to be told: to whom, about which case, and the text or payload."""

    audience: Audience
    recipient: str
    event: str
    subject: str
    body: str
    payload: dict[str, JsonValue] = Field(default_factory=dict)


class Notification(Frozen):
    """A message in the outbox and what became of it."""

    id: str
    app_id: str
    case_id: str | None
    message: Message
    status: NotificationStatus
    attempts: int = 0
    last_error: str | None = None
    next_attempt_at: AwareDatetime
    created_at: AwareDatetime
    delivered_at: AwareDatetime | None = None
