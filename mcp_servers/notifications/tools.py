"""The tools of the notifications server.

Every message goes through the outbox first, so none is lost: `deliver_due` takes what is due and
delivers it by the app's webhook, or, for apps without one, leaves it to be fetched from the list.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from data import apps, outbox
from data.database import Database
from domain.clock import now
from domain.notification import Audience, Message, Notification, NotificationStatus
from domain.vocabulary import Scope
from mcp_servers.identity import Call, Identify, require_service
from mcp_servers.notifications.answers import Accepted, Delivered, NotificationList
from mcp_servers.notifications.webhooks import Attempt, WebhookSender, next_try

Subject = Annotated[str, Field(min_length=1, max_length=200, description="One line.")]
Body = Annotated[str, Field(min_length=1, max_length=4_000, description="Plain words, no raw abusive content.")]
CaseId = Annotated[str | None, Field(description="The case it is about, if any.")]

AT_ONCE = 32
"""Webhooks in flight at a time."""


class NotificationTools:
    """Bound to one outbox, one sender and one way of telling who calls. `wake` asks for delivery now."""

    def __init__(self, database: Database, sender: WebhookSender, identify: Identify, wake: Callable[[], None]) -> None:
        self._database = database
        self._sender = sender
        self._identify = identify
        self._wake = wake

    async def notify_user(
        self, user_id: str, subject: Subject, body: Body, call: Call, case_id: CaseId = None
    ) -> Accepted:
        """Tell a user something, by way of their app. For decisions the service does this by itself."""
        return await self._accept(Audience.USER, user_id, subject, body, case_id, call)

    async def notify_app(self, subject: Subject, body: Body, call: Call, case_id: CaseId = None) -> Accepted:
        """Tell the app's own team something, by its webhook."""
        return await self._accept(Audience.APP, "app", subject, body, case_id, call)

    async def notify_moderators(self, subject: Subject, body: Body, call: Call, case_id: CaseId = None) -> Accepted:
        """Tell the human moderators something, e.g. a pattern that you see across cases."""
        return await self._accept(Audience.MODERATORS, "moderators", subject, body, case_id, call)

    async def list_notifications(
        self,
        call: Call,
        status: NotificationStatus | None = None,
        case_id: CaseId = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
    ) -> NotificationList:
        """Messages and what became of them, newest first; status `dead` lists what could not be delivered."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        found = await self._database.read(
            lambda session: outbox.find(session, app_id=actor.app_id, status=status, case_id=case_id, limit=limit)
        )
        return NotificationList(notifications=found)

    async def dispatch(self, case_id: str, call: Call) -> Delivered:
        """Ask for a case's messages to be delivered now rather than at the next round. Reserved to the service."""
        require_service(self._identify(call), "dispatch")
        self._wake()
        return Delivered()

    async def deliver_due(self, call: Call, limit: Annotated[int, Field(ge=1, le=500)] = 64) -> Delivered:
        """Deliver what is due, of all apps; failures are put off and tried again. Reserved to the service."""
        require_service(self._identify(call), "deliver_due")
        async with self._sender.one_pass:
            due = await self._database.read(lambda session: outbox.due(session, limit=limit))
            slots = asyncio.Semaphore(AT_ONCE)
            tries = (self._deliver(notification, slots) for notification in due)
            outcomes = await asyncio.gather(*tries, return_exceptions=True)
        if failures := [outcome for outcome in outcomes if isinstance(outcome, BaseException)]:
            raise failures[0]
        return Delivered(
            delivered=outcomes.count(NotificationStatus.DELIVERED),
            retrying=outcomes.count(NotificationStatus.PENDING),
            dead=outcomes.count(NotificationStatus.DEAD),
        )

    async def _accept(
        self, audience: Audience, recipient: str, subject: str, body: str, case_id: str | None, call: Call
    ) -> Accepted:
        actor = self._identify(call)
        actor.require(Scope.NOTIFY)
        message = Message(audience=audience, recipient=recipient, event="agent.message", subject=subject, body=body)
        added = await self._database.write(
            lambda session: outbox.add(session, app_id=actor.app_id, case_id=case_id, messages=[message], actor=actor)
        )
        self._wake()
        return Accepted(notification_id=added[0].id)

    async def _deliver(self, notification: Notification, slots: asyncio.Semaphore) -> NotificationStatus:
        async with slots:
            attempt = await self._attempt(notification)
        at = now()
        again = None if attempt.ok else next_try(notification, attempt, at)
        return await self._database.write(
            lambda session: outbox.settle(
                session, notification_id=notification.id, error=attempt.error, delivered=attempt.ok, again_at=again
            )
        )

    async def _attempt(self, notification: Notification) -> Attempt:
        hook = await self._database.read(lambda session: apps.webhook(session, app_id=notification.app_id))
        to_people_here = notification.message.audience is Audience.MODERATORS
        if hook is None or to_people_here:
            return Attempt(ok=True)
        return await self._sender.send(notification, url=hook.url, secret=hook.secret)
