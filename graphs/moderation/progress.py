"""What a step of a run is called for whoever waits for it. Made of closed words and counts alone, never of content."""

from domain.memory import Precedent
from domain.vocabulary import DecisionKind
from graphs.moderation.state import State

PLAIN = {
    "risk_assessment": "Weighed all that is known so far.",
    "evidence": "Fetched more evidence.",
    "decision": "Held the assessment against policy.",
    "notification": "Had people told.",
}
"""What there is to say of nodes that say the same each time."""


def said_of(node: str, update: State) -> str:
    """One sentence about what `node` has done, given the update that it returned."""
    match node:
        case "intake":
            seen = update.get("replayed", False)
            return "This was decided before." if seen else "Looked up the author's history; this is new."
        case "screening":
            return "Screened the text." if update["screening"] else "Screening is unavailable, a person will decide."
        case "memory":
            return _remembered(update)
        case "supervisor":
            consultation = update["consultation"]
            return f"Chose whom to ask: {_names(consultation.specialists)}." if consultation else "Chose nobody to ask."
        case "specialists":
            return _heard(update)
        case "action":
            return _kept(update)
        case _:
            return PLAIN.get(node, "Done.")


def _remembered(update: State) -> str:
    recollection = update.get("recollection")
    if recollection is None:
        return "Memory is unavailable, a person will decide."
    near: tuple[Precedent, ...] = (*recollection.violations, *recollection.cases)
    return f"Found {len(near)} similar {'text' if len(near) == 1 else 'texts'}."


def _heard(update: State) -> str:
    consultation = update["consultation"]
    assert consultation is not None, "they were asked for one"
    asked = len(consultation.specialists)
    return f"Heard {asked - len(consultation.missing)} of {asked}: {_names(consultation.specialists)}."


def _kept(update: State) -> str:
    if update.get("replayed"):
        return "A decision stood already."
    waits = update["case"].decision is DecisionKind.ESCALATED
    return "Kept the case and put it before people." if waits else "Kept the decision."


def _names(specialists: tuple[str, ...]) -> str:
    return ", ".join(name.replace("_", " ") for name in specialists)
