"""Where an appeal goes next. Pure functions of the state; every way to a resolution leads through a person."""

from typing import Literal

from graphs.appeals.state import AppealState


def after_intake(state: AppealState) -> Literal["context", "__end__"]:
    """An appeal that was prepared before is not prepared again: its own run waits already."""
    return "__end__" if state["standing"] else "context"


def after_context(state: AppealState) -> Literal["evaluation", "decision"]:
    """Without the case there is nothing to weigh: the person decides without a brief until one can be made."""
    return "evaluation" if "case" in state else "decision"


def after_resolution(state: AppealState) -> Literal["notification", "decision"]:
    """Where nobody has decided for good, the appeal waits on."""
    return "notification" if state["settled"] else "decision"
