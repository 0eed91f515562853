"""Runs the moderation graph: fast where nobody waits, durable where a person does.

The same graph is compiled twice. The fast form keeps no checkpoint (it would cost several times the
rest of the run). A run that ends waiting for people is handed to the durable form under its case's
identifier. A crash between recording and hand-over loses nothing: the record is in the database, and
`resume` rebuilds the little that a checkpoint holds.
"""

import asyncio
import logging
import time
from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from domain.actor import Actor
from domain.answer import ModerationAnswer, answer_for
from domain.case import Case
from domain.progress import OnStep
from domain.submission import Submission
from graphs.moderation.graph import build
from graphs.moderation.records import case_id_for
from graphs.moderation.state import Services, State
from graphs.moderation.turns import Turn

logger = logging.getLogger(__name__)

AT_ONCE = 12
"""Runs that share the processor: enough to fill a batch of the model. Others wait their turn, first come first
served; letting all of them run would only make each of them late."""

PARKING = 10_000
"""Checkpoints on their way at once; further ones are left to be rebuilt on resume."""

OUTCOME = ["case_id", "case", "waiting", "replayed"]
"""What is read of a finished run; reading all of the state after each step costs more than a step."""


class ModerationRuns:
    """Both forms of the graph over the same services."""

    def __init__(self, services: Services, checkpointer: BaseCheckpointSaver[Any]) -> None:
        builder = build()
        self._services = services
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._parking: dict[str, asyncio.Task[None]] = {}
        self._fast = builder.compile()
        self._durable = builder.compile(checkpointer=checkpointer)

    async def moderate(self, submission: Submission, actor: Actor, on_step: OnStep | None = None) -> ModerationAnswer:
        """Decide about one submission of `actor` and keep the decision; `on_step` hears of each step on the way.

        Raises ToolUnavailable where the database cannot be reached (nothing was kept), Overloaded
        where too much waits already.
        """
        started = time.perf_counter()
        content = submission.content
        state: State = {
            "app_id": content.app_id,
            "case_id": case_id_for(content, self._services.policies.set_hash),
            "waiting": False,
            "submission": submission.model_copy(update={"submitted_by": actor.label}),
            "received_at": self._services.clock(),
            "timings": {},
        }
        told = {"cupidsshield.case_id": state["case_id"], "cupidsshield.content_type": content.content_type}
        with self._services.tracer.span("moderate", told, begins=True) as span:
            async with Turn(self._turns) as turn:
                services = replace(self._services, turn=turn, on_step=on_step)
                final = await self._fast.ainvoke(state, context=services, output_keys=OUTCOME)
            case: Case = final["case"]
            span.note({"cupidsshield.decision": case.decision, "cupidsshield.replayed": final["replayed"]})
        if final["waiting"]:
            self._park_later(content.app_id, final["case_id"])
        spent = (time.perf_counter() - started) * 1_000
        return answer_for(case, processing_time_ms=spent, replayed=final["replayed"])

    async def resume(self, *, app_id: str, case_id: str) -> None:
        """Go on with a case that a person has decided: SQL holds what they decided, this tells people."""
        await self._parked(case_id)
        config = _thread(case_id)
        parked = await self._durable.aget_state(config)
        if not parked.next and not parked.values:
            await self._park(app_id, case_id)
            parked = await self._durable.aget_state(config)
        if "human_review" not in parked.next:
            return
        with self._services.tracer.span("resume", {"cupidsshield.case_id": case_id}, begins=True):
            await self._durable.ainvoke(Command(resume=True), config, context=self._services, durability="exit")

    async def waits(self, case_id: str) -> bool:
        """Whether a checkpoint holds this case at human review."""
        await self._parked(case_id)
        return "human_review" in (await self._durable.aget_state(_thread(case_id))).next

    async def close(self) -> None:
        """Park what is still on its way."""
        await asyncio.gather(*self._parking.values())

    def _park_later(self, app_id: str, case_id: str) -> None:
        """Write the checkpoint beside the request: people take minutes, the app should not wait for it."""
        if len(self._parking) >= PARKING:
            logger.warning("case %s is not parked, too many are on their way; resume will rebuild it", case_id)
            return
        task = asyncio.create_task(self._park(app_id, case_id))
        self._parking[case_id] = task
        task.add_done_callback(lambda _: self._parking.pop(case_id, None))

    async def _parked(self, case_id: str) -> None:
        if task := self._parking.get(case_id):
            await asyncio.wait({task})

    async def _park(self, app_id: str, case_id: str) -> None:
        config = _thread(case_id)
        values = {"app_id": app_id, "case_id": case_id, "waiting": True}
        try:
            await self._durable.aupdate_state(config, values, as_node="notification")
            await self._durable.ainvoke(None, config, context=self._services, durability="exit")
        except Exception:
            logger.exception("case %s was recorded, but its run could not be parked; resume will rebuild it", case_id)


def _thread(case_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": case_id}}
