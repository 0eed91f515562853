"""Runs the appeals graph: fast up to the person, durable from there on, like the moderation graph's runs.

An appeal is in the database and before people once intake is done. A crash after that loses nothing: `prepare` makes a
brief that is missing, and `resume` rebuilds the little that a checkpoint holds.
"""

import logging
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from domain.appeal import Appeal
from graphs.appeals.graph import build
from graphs.appeals.state import AppealState
from graphs.moderation.state import Services

logger = logging.getLogger(__name__)

OUTCOME = ["appeal", "standing"]


class AppealRuns:
    """Both forms of the graph over the same services."""

    def __init__(self, services: Services, checkpointer: BaseCheckpointSaver[Any]) -> None:
        builder = build()
        self._services = services
        self._fast = builder.compile()
        self._durable = builder.compile(checkpointer=checkpointer)

    async def file(
        self, *, app_id: str, case_id: str, user_id: str, explanation: str, new_evidence: str | None
    ) -> Appeal:
        """Take in an appeal, prepare its brief, and leave it to a person.

        Raises NotFound, Invalid for what cannot be appealed, ToolUnavailable where the database does not answer: then
        nothing was kept. Whatever else fails, the appeal is before people.
        """
        state: AppealState = {
            "app_id": app_id,
            "case_id": case_id,
            "user_id": user_id,
            "explanation": explanation,
            "new_evidence": new_evidence,
        }
        with self._services.tracer.span("appeal", {"cupidsshield.case_id": case_id}, begins=True):
            final = await self._fast.ainvoke(state, context=self._services, output_keys=OUTCOME)
        appeal: Appeal = final["appeal"]
        if not final["standing"]:
            await self._park(app_id, appeal.id)
        return appeal

    async def prepare(self, appeal: Appeal) -> Appeal:
        """Make the brief that an appeal lacks, because a server was away or the process died."""
        return await self.file(
            app_id=appeal.app_id,
            case_id=appeal.case_id,
            user_id=appeal.user_id,
            explanation=appeal.explanation,
            new_evidence=appeal.new_evidence,
        )

    async def resume(self, *, app_id: str, appeal_id: str) -> None:
        """Go on with an appeal that a person has decided: SQL holds what they decided."""
        config = _thread(appeal_id)
        parked = await self._durable.aget_state(config)
        if not parked.next and not parked.values:
            await self._park(app_id, appeal_id)
            parked = await self._durable.aget_state(config)
        if "decision" in parked.next:
            with self._services.tracer.span("resume", {"cupidsshield.appeal_id": appeal_id}, begins=True):
                await self._durable.ainvoke(Command(resume=True), config, context=self._services, durability="exit")

    async def waits(self, appeal_id: str) -> bool:
        """Whether a checkpoint holds this appeal at the person's decision."""
        return "decision" in (await self._durable.aget_state(_thread(appeal_id))).next

    async def _park(self, app_id: str, appeal_id: str) -> None:
        config = _thread(appeal_id)
        values: AppealState = {"app_id": app_id, "appeal_id": appeal_id}
        try:
            await self._durable.aupdate_state(config, values, as_node="evaluation")
            await self._durable.ainvoke(None, config, context=self._services, durability="exit")
        except Exception:
            logger.exception("appeal %s was kept, but its run could not be parked; resume rebuilds it", appeal_id)


def _thread(appeal_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": appeal_id}}
