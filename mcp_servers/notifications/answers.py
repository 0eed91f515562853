"""What the notification tools answer."""

from domain.base import Frozen
from domain.notification import Notification


class Accepted(Frozen):
    """The message is in the outbox and will be delivered, retried, and kept visible if it cannot be."""

    notification_id: str


class Delivered(Frozen):
    """How many messages were delivered, put off for a later try, and given up, in this pass."""

    delivered: int = 0
    retrying: int = 0
    dead: int = 0


class NotificationList(Frozen):
    """Messages, newest first."""

    notifications: tuple[Notification, ...]
