"""The nodes of the appeals graph. Each reads the state, has at most one kind of effect, and returns an update.

An appeal is before people from intake on, whatever happens after it. What context cannot find out is noted in the
brief; a brief that cannot be laid beside the appeal is prepared again later. Nothing here decides (I8).
"""

import logging

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from domain.actor import system
from domain.appeal import Appeal
from domain.case import Case
from domain.errors import CupidsShieldError
from graphs.appeals.asking import history_of, read_again, similar_to
from graphs.appeals.state import AppealState
from graphs.moderation.state import Services
from mcp_servers.client import ServerName, arguments
from mcp_servers.database.answers import SettledAppeal
from mcp_servers.notifications.answers import Delivered
from policies.appeals import AppealFacts, weigh

logger = logging.getLogger(__name__)


async def intake(state: AppealState, runtime: Runtime[Services]) -> AppealState:
    """Take the appeal in and put it before people. Raises what makes it impossible; then nothing was kept."""
    appeal = await runtime.context.tools.call(
        ServerName.DATABASE,
        "file_appeal",
        arguments(
            case_id=state["case_id"],
            user_id=state["user_id"],
            explanation=state["explanation"],
            new_evidence=state["new_evidence"],
        ),
        actor=system(state["app_id"], "appeals"),
        answer=Appeal,
    )
    standing = appeal.brief is not None or appeal.status.is_final
    return {"appeal": appeal, "appeal_id": appeal.id, "standing": standing, "unavailable": ()}


async def context(state: AppealState, runtime: Runtime[Services]) -> AppealState:
    """Find out what the decision was, how the text reads today, what is known of the user, and what was similar."""
    app_id, services = state["app_id"], runtime.context
    try:
        case = await services.tools.call(
            ServerName.DATABASE,
            "get_case",
            {"case_id": state["case_id"]},
            actor=system(app_id, "appeals"),
            answer=Case,
        )
    except CupidsShieldError as error:
        logger.warning("appeal %s has no context yet: %s", state["appeal_id"], error)
        return {"unavailable": (ServerName.DATABASE,)}
    missing: list[str] = []
    history = await history_of(case, services.tools, missing)
    similar = await similar_to(case, services.tools, missing)
    reread = await read_again(case, history, similar, services, missing)
    return {
        "case": case,
        "history": history,
        "similar": similar,
        "reread": reread,
        "unavailable": tuple(dict.fromkeys(missing)),
    }


async def evaluation(state: AppealState, runtime: Runtime[Services]) -> AppealState:
    """Weigh both sides and lay the brief beside the appeal; it recommends, and a person decides."""
    facts = AppealFacts(
        case=state["case"],
        explanation=state["explanation"],
        new_evidence=state["new_evidence"],
        history=state["history"],
        similar=state["similar"],
        reread=state["reread"],
        unavailable=state["unavailable"],
        at=runtime.context.clock(),
    )
    try:
        appeal = await runtime.context.tools.call(
            ServerName.DATABASE,
            "lay_brief",
            arguments(appeal_id=state["appeal_id"], brief=weigh(facts, runtime.context.policies)),
            actor=system(state["app_id"], "appeals"),
            answer=Appeal,
        )
    except CupidsShieldError as error:
        logger.warning("appeal %s waits for people without its brief: %s", state["appeal_id"], error)
        return {}
    return {"appeal": appeal}


async def decision(state: AppealState) -> AppealState:
    """Wait for a person. SQL has recorded what they decided before this run is resumed."""
    interrupt({"appeal_id": state["appeal_id"]})
    return {}


async def resolution(state: AppealState, runtime: Runtime[Services]) -> AppealState:
    """Note that what a person decided stands. Where nobody has decided for good, the run goes back to waiting."""
    answer = await runtime.context.tools.call(
        ServerName.DATABASE,
        "settle_appeal",
        {"appeal_id": state["appeal_id"]},
        actor=system(state["app_id"], "appeals"),
        answer=SettledAppeal,
    )
    return {"settled": answer.settled, "case_id": answer.appeal.case_id}


async def notification(state: AppealState, runtime: Runtime[Services]) -> AppealState:
    """Have the messages delivered now. They are in the outbox already, so a failure loses nothing."""
    try:
        await runtime.context.tools.call(
            ServerName.NOTIFICATIONS,
            "dispatch",
            {"case_id": state["case_id"]},
            actor=system(state["app_id"], "appeals"),
            answer=Delivered,
        )
    except CupidsShieldError as error:
        logger.warning("notifications are unavailable, messages wait in the outbox: %s", error)
    return {}
