"""Where a run goes next. Pure functions of the state; nothing here calls anything."""

from typing import Literal

from langgraph.runtime import Runtime

from domain.vocabulary import DecisionKind
from graphs.moderation.consulting import may_ask, reason_to_ask, wanted
from graphs.moderation.state import Services, State
from policies.assess import is_clear


def after_intake(state: State) -> Literal["screening", "__end__"]:
    """Content that was decided before keeps its decision."""
    return "__end__" if state.get("replayed") else "screening"


def after_assessment(
    state: State, runtime: Runtime[Services]
) -> Literal["memory", "supervisor", "evidence", "decision"]:
    """Memory is asked once, and only where there is a vector and the text is not clearly fine. Then language models,
    where any are configured, policy sees a reason, and the app's day allows it; again while more evidence would help.
    """
    if state["screening"] is None:
        return "decision"
    asked = "recollection" in state or "consultation" in state
    if not asked and not is_clear(state["assessment"], state["submission"].content, runtime.context.policies):
        return "memory"
    if not may_ask(state, runtime.context):
        return "decision"
    if (consultation := state.get("consultation")) is None:
        return "supervisor" if reason_to_ask(state, runtime.context) else "decision"
    return "evidence" if wanted(state, consultation, runtime.context) else "decision"


def after_action(state: State) -> Literal["notification", "__end__"]:
    """An approval tells nobody: the app's answer is the message. A decision that stood was told before."""
    silent = state["replayed"] or state["case"].decision is DecisionKind.APPROVED
    return "__end__" if silent else "notification"


def after_notification(state: State) -> Literal["human_review", "__end__"]:
    """What waits for people stays; a run that a person has settled is over."""
    return "human_review" if state["waiting"] else "__end__"
