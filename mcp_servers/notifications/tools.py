"""The tools of the notifications server.

Every message goes through the outbox first, so none is lost: `deliver_due` takes what is due and
delivers it by the app's webhook, or, for apps without one, leaves it to be fetched from the list.
What one process has taken, no other sends.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from data import apps, outbox
from data.apps import Webhook
from data.database import Database
from domain.clock import now
from domain.notification import Audience, Message, Notification, NotificationStatus
from domain.vocabulary import Scope
from mcp_servers.identity import Call, Identify, require_service
from mcp_servers.notifications.answers import Accepted, Delivered, NotificationList
from mcp_servers.notifications.webhooks import TIMEOUT_S, WebhookSender, next_try

Subject = Annotated[str, Field(min_length=1, max_length=200, description="One line.")]
Body = Annotated[str, Field(min_length=1, max_length=4_000, description="Plain words, no raw abusive content.")]
CaseId = Annotated[str | None, Field(description="The case it is about, if any.")]

AT_ONCE = 32
"""Webhooks in flight at a time."""

LEASE = timedelta(seconds=120)
"""How long what was taken is left to who took it; after that, who took it counts as dead, and it is due again."""


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
        last_try = time.monotonic() + LEASE.total_seconds() - TIMEOUT_S
        taken = await self._database.write(lambda session: outbox.take(session, limit=limit, lease=LEASE))
        hooks = await self._hooks_of(taken)
        listed = [each for each in taken if each.id not in hooks]
        await self._leave_in_list(listed)
        slots = asyncio.Semaphore(AT_ONCE)
        tries = (self._deliver(each, hooks[each.id], slots, last_try) for each in taken if each.id in hooks)
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        if failures := [outcome for outcome in outcomes if isinstance(outcome, BaseException)]:
            raise failures[0]
        return Delivered(
            delivered=len(listed) + outcomes.count(NotificationStatus.DELIVERED),
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

    async def _hooks_of(self, taken: Sequence[Notification]) -> dict[str, Webhook]:
        """Where each message is posted; moderators, and apps without a webhook, find theirs in the list."""
        told = {each.id: each.app_id for each in taken if each.message.audience is not Audience.MODERATORS}
        if not told:
            return {}
        hooks = await self._database.read(lambda session: apps.webhooks(session, app_ids=set(told.values())))
        return {identifier: hooks[app_id] for identifier, app_id in told.items() if app_id in hooks}

    async def _leave_in_list(self, listed: Sequence[Notification]) -> None:
        def settle(session: Session) -> None:
            for each in listed:
                outbox.settle(session, notification_id=each.id, delivered=True, error="", again_at=None)

        if listed:
            await self._database.write(settle)

    async def _deliver(
        self, notification: Notification, hook: Webhook, slots: asyncio.Semaphore, last_try: float
    ) -> NotificationStatus:
        async with slots:
            if time.monotonic() > last_try:
                return NotificationStatus.PENDING
            attempt = await self._sender.send(notification, url=hook.url, secret=hook.secret)
        at = now()
        again = None if attempt.ok else next_try(notification, attempt, at)
        return await self._database.write(
            lambda session: outbox.settle(
                session, notification_id=notification.id, error=attempt.error, delivered=attempt.ok, again_at=again
            )
        )
