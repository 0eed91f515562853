"""What the appeal reviewer is told: what the record shows, in our words, and apart from it what people wrote.

What the machine's weighing came to is left out, so that the reading is one of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from agents.appeals import AppealDossier
from agents.material import Piece, Wording
from data.appeal_surroundings import Line, Surroundings
from domain.appeal import Appeal, AppealBrief, AppealFactor, AppealStatus
from domain.assessment import Assessment
from domain.case import MACHINE, Case
from domain.history import SubjectHistory
from domain.memory import Precedent
from domain.signals import Screening
from domain.vocabulary import DecisionKind
from policies.appeals import others_of
from policies.editions import changed_since
from policies.explain import percent
from policies.fuse import ADDRESSES_THE_MACHINE
from policies.model import PolicySet

MOST_SIMILAR = 6


@dataclass(frozen=True)
class Known:
    """All that was found out about one appeal. `words` and `offered` are what screening made of the user's explanation
    and evidence, None where there is none; `endings` is how appeals in similar cases ended, by case."""

    appeal: Appeal
    brief: AppealBrief
    around: Surroundings
    history: SubjectHistory | None
    similar: tuple[Precedent, ...]
    endings: Mapping[str, AppealStatus]
    reread: Assessment | None
    words: Screening | None
    offered: Screening | None
    decided: Screening | None
    at: datetime

    @property
    def addresses_the_machine(self) -> bool:
        """Whether the user's words speak to the software that judges them."""
        seen = (signal for each in (self.words, self.offered) if each for signal in each.signals)
        return any(signal.name.endswith(ADDRESSES_THE_MACHINE) for signal in seen)


def dossier(known: Known, policies: PolicySet) -> AppealDossier:
    """The dossier of an appeal."""
    appeal, case = known.appeal, known.around.case
    weighable = frozenset(each.factor for each in known.brief.factors if each.score is not None)
    confirmed = tuple(sorted((p for p in known.similar if p.confirmed), key=lambda p: -p.similarity)[:MOST_SIMILAR])
    asked_by = (case.violation_type, case.machine.policy, known.reread.policy if known.reread else None)
    return AppealDossier(
        app_id=appeal.app_id,
        decided=Wording(case.content.text, known.decided.normalised if known.decided else case.content.text),
        explanation=Wording(appeal.explanation, known.words.normalised) if known.words else None,
        new_evidence=Wording(appeal.new_evidence, known.offered.normalised)
        if appeal.new_evidence and known.offered
        else None,
        policies=tuple(dict.fromkeys(policy for policy in asked_by if policy)),
        weighable=weighable,
        facts=tuple(_facts(known, policies, confirmed, weighable)),
        others=tuple(_others(known, confirmed)),
    )


def _facts(
    known: Known, policies: PolicySet, confirmed: tuple[Precedent, ...], weighable: frozenset[AppealFactor]
) -> Iterator[str]:
    case = known.around.case
    yield f"The text is a {case.content.content_type} in a dating app. {_outcome(case, policies)}"
    looked = f"a machine alone, {percent(case.confidence)} sure" if case.reviewed_by == MACHINE else "a person"
    yield f"It was decided by {looked}."
    yield from _changed(known.around, policies)
    if known.reread:
        now = f"still falls under `{known.reread.policy}`" if known.reread.policy else "reads as fine"
        yield f"Read again by screening today, the text {now}."
    yield from _about_the_user(known)
    violating = sum(precedent.decision is DecisionKind.REJECTED for precedent in confirmed)
    yield f"Similar cases that people decided: {len(confirmed) or 'none'}" + (
        f", {violating} of them as violations." if confirmed else "."
    )
    if known.words is None:
        yield "The user sent no explanation."
    if not known.appeal.new_evidence:
        yield "The user offers no new evidence."
    if known.addresses_the_machine:
        yield "Screening noticed that the appeal speaks to the software that judges it, as if to give it orders."
    if nothing := [factor for factor in AppealFactor if factor not in weighable]:
        yield f"There is nothing to judge these factors by: {', '.join(nothing)}."


def _outcome(case: Case, policies: PolicySet) -> str:
    if case.violation_type is None:
        return f"It was {case.decision}."
    title = policies.guideline(case.violation_type).title
    then = f" What followed: {case.action.replace('_', ' ')}." if case.action else ""
    return f"It was {case.decision} under “{title}” (`{case.violation_type}`, {case.severity}).{then}"


def _changed(around: Surroundings, policies: PolicySet) -> Iterator[str]:
    case, violated = around.case, around.case.violation_type
    if violated is None or case.machine.policy is not violated:
        yield "Which version of a guideline was applied is not known."
        return
    before, now = case.machine.policy_version, policies.guideline(violated)
    changed = changed_since(around.edition, now)
    if before == now.version and not changed:
        yield f"The guideline `{violated}` has not changed since: it is version {now.version}."
        return
    yield f"The guideline `{violated}` had version {before} when it was applied, and has version {now.version} now."
    if changed is not None:
        yield from changed or ("What it says is the same.",)


def _about_the_user(known: Known) -> Iterator[str]:
    case = known.around.case
    cases, violations = others_of(case, known.history)
    yield f"Other texts of the user in the record: {cases or 'none'}" + (
        f", {violations} of them violations." if cases else "."
    )
    if (age := case.content.context.account_age_days(known.at)) is not None:
        yield f"The user's account is {age:.0f} days old."
    if case.content.context.reported:
        yield "Somebody reported the text."


def _others(known: Known, confirmed: tuple[Precedent, ...]) -> Iterator[Piece]:
    """What else people wrote: why it was decided so, the conversation in its order, and texts that are similar."""
    around = known.around
    yield Piece("Why it was decided so, as the record has it", around.case.reasoning)
    for when, lines in (("earlier", around.before), ("later", around.after)):
        for line in lines:
            yield Piece(f"{when.capitalize()} in the same conversation, by {_whose(line)}", line.text)
    for line in around.own:
        yield Piece(f"Another text of the user, which was {line.decision}", line.text)
    for precedent in confirmed:
        verdict = f"as {precedent.policy}" if precedent.decision is DecisionKind.REJECTED else "as fine"
        ended = known.endings.get(precedent.case_id)
        appealed = f"; its appeal was {ended}" if ended else ""
        title = f"A similar text that a person judged {verdict} (similarity {precedent.similarity:.2f}){appealed}"
        yield Piece(title, precedent.text)


def _whose(line: Line) -> str:
    return "the user" if line.own else "the other person"
