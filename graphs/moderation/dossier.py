"""What specialists are told of a text: the service's own findings in its own words, and apart from them what people
wrote.

The classifier's numbers are left out: an opinion that repeats them would count the same evidence twice. Precedents are
those alone that people confirmed, of the same app.
"""

from collections.abc import Iterator

from agents.material import Piece
from agents.panel import Dossier
from domain.memory import Precedent
from domain.signals import Signal
from domain.vocabulary import DecisionKind, SignalSource
from graphs.moderation.state import Services, State

NOT_TOLD = frozenset({SignalSource.CLASSIFIER, SignalSource.AGENT})
MOST_PRECEDENTS = 6


def dossier(state: State, services: Services) -> Dossier:
    """The dossier of a run as far as it has come."""
    content, seen = state["submission"].content, state["screening"]
    confirmed = _precedents(state)
    return Dossier(
        app_id=content.app_id,
        posted=content.text,
        normalised=seen.normalised if seen else content.text,
        facts=tuple(_facts(state, services, confirmed)),
        others=(
            *(Piece(_of_case(precedent), precedent.text) for precedent in confirmed),
            *(Piece("An earlier text of the same author", text) for text in state.get("earlier", ())),
        ),
    )


def _facts(state: State, services: Services, confirmed: tuple[Precedent, ...]) -> Iterator[str]:
    content, history = state["submission"].content, state["prepared"].history
    yield f"The text is a {content.content_type} in a dating app."
    for signal in state["assessment"].signals:
        if signal.source not in NOT_TOLD and signal.source is not SignalSource.MEMORY:
            yield f"Noticed: {_about(signal)}."
    earlier = f"{history.cases} earlier texts, {history.violations} of them violations"
    yield f"The author's record in this app: {earlier if history.cases else 'no earlier texts'}."
    age = content.context.account_age_days(services.clock())
    if age is not None:
        yield f"The author's account is {age:.0f} days old."
    if content.context.reported:
        yield "Somebody reported the text."
    if content.context.verified:
        yield "The app has verified who the author is."
    yield f"Similar cases that people decided: {len(confirmed) or 'none'}."
    if (found := state.get("recollection")) and found.policies:
        yield f"Nearest guideline passages: {', '.join(dict.fromkeys(match.policy for match in found.policies))}."


def _about(signal: Signal) -> str:
    return f"{signal.reason.rstrip('.')}{f' (speaks of {signal.policy})' if signal.policy else ''}"


def _precedents(state: State) -> tuple[Precedent, ...]:
    """The nearest confirmed ones, each case once."""
    found = state.get("recollection")
    if not found:
        return ()
    cases: dict[str, Precedent] = {}
    for precedent in (*found.violations, *found.cases):
        if precedent.confirmed:
            cases.setdefault(precedent.case_id, precedent)
    return tuple(sorted(cases.values(), key=lambda p: -p.similarity)[:MOST_PRECEDENTS])


def _of_case(precedent: Precedent) -> str:
    verdict = f"as {precedent.policy}" if precedent.decision is DecisionKind.REJECTED else "as fine"
    return f"A similar text that a person judged {verdict} (similarity {precedent.similarity:.2f})"
