"""The nodes of the moderation graph. Each reads the state, has at most one effect, returns an update.

A screening or memory server that does not answer, or refuses, is noted and leads to a person (I3). Where too much
waits for screening, or the database does not answer, the run stops: nothing is acknowledged, and the caller is told
to come again.
"""

import logging

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from domain.actor import system
from domain.case import Case, Recorded, Timings
from domain.errors import CupidsShieldError, Overloaded
from domain.memory import Precedent
from domain.queries import Prepared
from domain.signals import Screening
from graphs.moderation.flags import with_flag
from graphs.moderation.messages import messages_for
from graphs.moderation.records import case_record, memory_item, review_item
from graphs.moderation.state import Services, State
from mcp_servers.client import ServerName, arguments
from mcp_servers.notifications.answers import Delivered
from mcp_servers.vector_search.answers import Recollection
from policies.assess import assess
from policies.decide import decide

logger = logging.getLogger(__name__)


async def intake(state: State, runtime: Runtime[Services]) -> State:
    """Find out whether the content was decided before, and what is known of its author."""
    content = state["submission"].content
    prepared = await runtime.context.tools.call(
        ServerName.DATABASE,
        "prepare_case",
        arguments(
            content_id=content.content_id,
            content_hash=content.content_hash,
            user_id=content.user_id,
            policy_set=runtime.context.policies.set_hash,
        ),
        actor=system(content.app_id),
        answer=Prepared,
    )
    if prepared.standing is None:
        return {"prepared": prepared, "unavailable": ()}
    return {"prepared": prepared, "case": prepared.standing, "replayed": True}


async def screening(state: State, runtime: Runtime[Services]) -> State:
    """Let local screening look at the text; where it cannot, say so and go on to a person."""
    content = state["submission"].content
    try:
        seen = await runtime.context.tools.call(
            ServerName.MODERATION,
            "screen_content",
            arguments(text=content.text, content_type=content.content_type, context=content.context, with_vector=True),
            actor=system(content.app_id),
            answer=Screening,
        )
    except Overloaded:
        raise
    except CupidsShieldError as error:
        logger.warning("screening is unavailable: %s", error)
        return {"screening": None, "unavailable": (*state["unavailable"], ServerName.MODERATION)}
    return {"screening": with_flag(seen, state["submission"].flag)}


async def memory(state: State, runtime: Runtime[Services]) -> State:
    """Recall violations, cases and guideline passages near to the text."""
    seen, content = state["screening"], state["submission"].content
    assert seen is not None, "memory is asked only where screening gave a vector"
    try:
        recollection = await runtime.context.tools.call(
            ServerName.VECTOR_SEARCH,
            "recall",
            arguments(vector=seen.vector),
            actor=system(content.app_id),
            answer=Recollection,
        )
    except CupidsShieldError as error:
        logger.warning("memory is unavailable: %s", error)
        return {"recollection": None, "unavailable": (*state["unavailable"], ServerName.VECTOR_SEARCH)}
    return {"recollection": recollection}


async def risk_assessment(state: State, runtime: Runtime[Services]) -> State:
    """Form one opinion from all that is known so far."""
    prepared, services = state["prepared"], runtime.context
    return {
        "assessment": assess(
            screening=state["screening"],
            content=state["submission"].content,
            history=prepared.history,
            same_content=prepared.same_content,
            precedents=_precedents(state.get("recollection")),
            unavailable=state["unavailable"],
            policies=services.policies,
            now=services.clock(),
            consultation=state.get("consultation"),
        )
    }


async def decision(state: State, runtime: Runtime[Services]) -> State:
    """Let policy decide what the assessment means."""
    content = state["submission"].content
    return {
        "decision": decide(state["assessment"], state["prepared"].history, runtime.context.policies, content.app_id)
    }


async def action(state: State, runtime: Runtime[Services]) -> State:
    """Record the decision with all its consequences in one transaction; a decision that stands wins."""
    record = case_record(state, Timings(nodes=state["timings"], total=sum(state["timings"].values())))
    review = review_item(record, runtime.context.policies)
    owed = messages_for(record, runtime.context.policies, runtime.context.link)
    recorded = await runtime.context.tools.call(
        ServerName.DATABASE,
        "record_decision",
        arguments(
            record=record,
            review=review,
            messages=[message.model_dump(mode="json") for message in owed],
            memory=memory_item(record),
        ),
        actor=system(record.content.app_id),
        answer=Recorded,
    )
    if recorded.standing is not None:
        return {"case": recorded.standing, "replayed": True, "waiting": False}
    return {"case": Case.opened(record, review), "replayed": False, "waiting": review is not None}


async def notification(state: State, runtime: Runtime[Services]) -> State:
    """Have the case's messages delivered now. They are in the outbox already, so a failure loses nothing."""
    try:
        await runtime.context.tools.call(
            ServerName.NOTIFICATIONS,
            "dispatch",
            arguments(case_id=state["case_id"]),
            actor=system(state["app_id"]),
            answer=Delivered,
        )
    except CupidsShieldError as error:
        logger.warning("notifications are unavailable, messages wait in the outbox: %s", error)
    return {}


async def human_review(state: State) -> State:
    """Wait for a person. SQL has recorded what they decided before this run is resumed."""
    interrupt({"case_id": state["case_id"]})
    return {"waiting": False}


def _precedents(recollection: Recollection | None) -> tuple[Precedent, ...]:
    return (*recollection.violations, *recollection.cases) if recollection else ()
