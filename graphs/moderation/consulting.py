"""The nodes that ask language models, and what they and the routes want to know: whom, with what, and whether again.

The supervisor picks specialists by what policy sees; they are asked at once, outside the run's turn at the processor;
what they said goes back to the risk assessment. Where no usable answer came, the assessment says so, and a person
decides (I3).
"""

import logging
from contextlib import nullcontext
from datetime import timedelta

from langgraph.runtime import Runtime

from agents.spending import Allowance
from domain.actor import system
from domain.case import CasePage
from domain.errors import CupidsShieldError
from domain.opinion import AskReason, Consultation, Need
from graphs.moderation.dossier import dossier
from graphs.moderation.state import Services, State
from mcp_servers.client import ServerName, arguments
from mcp_servers.vector_search.answers import Recollection
from policies.asking import whom_to_ask, why_ask, worth_more_evidence

logger = logging.getLogger(__name__)

WIDER = 20
"""How many precedents of each kind are recalled where specialists ask for more."""

EARLIER = 8
"""How many earlier texts of an author are shown to them."""


async def supervisor(state: State, runtime: Runtime[Services]) -> State:
    """Pick who is asked: at first by what policy suspects, later those who asked for more evidence."""
    services = runtime.context
    if (before := state.get("consultation")) is None:
        reason = reason_to_ask(state, services)
        assert reason is not None, "a run comes here only with a reason"
        chosen = whom_to_ask(state["assessment"], services.policies)
        until = services.clock() + timedelta(seconds=services.asking_s)
        return State(consultation=Consultation(reason=reason, specialists=chosen), ask_until=until)
    unsure = tuple(opinion.specialist for opinion in before.opinions if opinion.needs is not Need.NOTHING)
    return {"consultation": before.model_copy(update={"specialists": unsure})}


async def specialists(state: State, runtime: Runtime[Services]) -> State:
    """Ask them all at once; a newer opinion of the same specialist takes the place of the older."""
    services, before = runtime.context, state["consultation"]
    assert before is not None, "the supervisor has picked"
    assert services.panel is not None, "a run comes here only where models are configured"
    left = (state["ask_until"] - services.clock()).total_seconds()
    async with services.turn.aside() if services.turn else nullcontext():
        heard = await services.panel.hear(before.specialists, dossier(state, services), within_s=max(left, 0.0))
    kept = tuple(opinion for opinion in before.opinions if opinion.specialist not in before.specialists)
    update = {
        "rounds": before.rounds + 1,
        "opinions": (*kept, *heard.opinions),
        "missing": heard.missing,
        "usage": before.usage + heard.usage,
    }
    return {"consultation": before.model_copy(update=update)}


async def evidence(state: State, runtime: Runtime[Services]) -> State:
    """Fetch what specialists asked for: precedents from farther away, or what the author wrote before."""
    consultation, seen = state["consultation"], state["screening"]
    assert consultation is not None
    assert seen is not None, "what was not screened is not asked about"
    needs = wanted(state, consultation, runtime.context)
    content, tools = state["submission"].content, runtime.context.tools
    actor, update = system(content.app_id), State(gathered=state.get("gathered", frozenset()) | needs)
    try:
        if Need.SIMILAR_CASES in needs:
            wider = arguments(vector=seen.vector, limit=WIDER)
            update["recollection"] = await tools.call(
                ServerName.VECTOR_SEARCH, "recall", wider, actor=actor, answer=Recollection
            )
        if Need.EARLIER_TEXTS in needs:
            of_author = arguments(user_id=content.user_id, limit=EARLIER)
            page = await tools.call(ServerName.DATABASE, "search_cases", of_author, actor=actor, answer=CasePage)
            update["earlier"] = tuple(case.excerpt for case in page.cases)
    except CupidsShieldError as error:
        logger.warning("further evidence is unavailable: %s", error)
        update["unavailable"] = (*state["unavailable"], "further evidence")
    return update


def may_ask(state: State, services: Services) -> bool:
    """Whether there are models, and the app and the run have something left for them."""
    if services.panel is None:
        return False
    app_id = state["submission"].content.app_id
    rules = services.policies.thresholds.agents.of(app_id)
    affords = services.panel.affords(app_id, Allowance(tokens=rules.daily_tokens, cost=rules.daily_cost))
    return affords and ("ask_until" not in state or services.clock() < state["ask_until"])


def reason_to_ask(state: State, services: Services) -> AskReason | None:
    """Why models should be asked about the text, if they should."""
    app_id = state["submission"].content.app_id
    return why_ask(state["assessment"], state["prepared"].history, services.policies, app_id)


def wanted(state: State, consultation: Consultation, services: Services) -> frozenset[Need]:
    """What further evidence would help."""
    return worth_more_evidence(
        consultation,
        state["assessment"],
        state["prepared"].history,
        state.get("gathered", frozenset()),
        services.policies,
        state["submission"].content.app_id,
    )
