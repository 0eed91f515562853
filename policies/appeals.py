"""What policy says of appeals: whether one may be made, how the machine weighs it, who may decide it, and until when.

Pure. The machine recommends and never decides (I8). A factor that cannot be weighed lends its weight to the others, so
that an appeal without any new evidence can still be won.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.appeal import Appeal, AppealBrief, AppealFactor, AppealOutcome, FactorScore
from domain.assessment import Assessment
from domain.base import Frozen
from domain.case import MACHINE, Case
from domain.history import SubjectHistory
from domain.memory import Precedent
from domain.vocabulary import Action, DecisionKind, Floor, Priority, Route
from policies.explain import percent
from policies.guidance import advice, can_be_checked, gives_context, takes_responsibility
from policies.model import PolicySet

PERMANENT = frozenset({Action.PERMANENT_BAN, Action.PERMANENT_BAN_AND_REPORT})
PREPARED_BY = "appeals graph"
NO_EXPLANATION = "(The user sent no explanation.)"


class AppealFacts(Frozen):
    """What an appeal is weighed by. `reread` is how the text is assessed today, None where that could not be asked;
    `unavailable` names the servers that did not answer."""

    case: Case
    explanation: str
    new_evidence: str | None
    history: SubjectHistory | None
    similar: tuple[Precedent, ...]
    reread: Assessment | None
    unavailable: tuple[str, ...]
    at: datetime


def why_not(case: Case, earlier: Appeal | None, at: datetime, policies: PolicySet) -> str | None:
    """Why a decision cannot be appealed now, in words for the user, or None where it can."""
    if earlier is not None:
        return "this decision was appealed already, and each can be appealed once"
    if case.decision is DecisionKind.ESCALATED:
        return "people are still looking at this; you can appeal once it is decided"
    if case.decision is DecisionKind.APPROVED:
        return "nothing was restricted, so there is nothing to appeal"
    if at > (until := appeal_until(case, policies)):
        days = policies.thresholds.appeals.window_days
        return f"a decision can be appealed for {days:g} days; for this one that ended on {until:%d %B %Y}"
    return None


def appeal_until(case: Case, policies: PolicySet) -> datetime:
    """The last moment at which a decision can be appealed."""
    return case.updated_at + timedelta(days=policies.thresholds.appeals.window_days)


def needs_senior(case: Case, policies: PolicySet, *, sets_precedent: bool = False) -> bool:
    """Whether a senior must decide: a permanent ban, a violation severe enough, or a precedent."""
    from_severity = policies.thresholds.appeals.senior_severity
    severe = case.severity is not None and case.severity.rank >= from_severity.rank
    return sets_precedent or severe or case.action in PERMANENT


def route_of(case: Case, policies: PolicySet) -> Route:
    """Whose queue an appeal goes to. What is for legal alone stays with legal, also when it is appealed."""
    fixed = policies.guideline(case.violation_type).fixed_route if case.violation_type else None
    if case.assessment.floor is Floor.LEGAL or (
        fixed and fixed.route is Route.LEGAL and (case.severity is None or case.severity in fixed.severities)
    ):
        return Route.LEGAL
    return Route.SENIOR if needs_senior(case, policies) else Route.MODERATOR


def priority_of(route: Route) -> Priority:
    """How soon people look. Nobody waits for an appeal as they do for a threat, and most wait locked out."""
    return Priority.MEDIUM if route is Route.MODERATOR else Priority.HIGH


def due_at(at: datetime, policies: PolicySet, *, escalated: bool = False) -> datetime:
    """By when an appeal should be decided, counted from when it was sent or escalated."""
    rules = policies.thresholds.appeals
    return at + timedelta(hours=rules.escalated_hours if escalated else rules.target_hours)


def weigh(facts: AppealFacts, policies: PolicySet) -> AppealBrief:
    """The brief for the person who decides: both sides, the four factors, and a recommendation."""
    changed = policy_changed(facts.case, policies)
    weighed = (
        _new_evidence(facts, policies),
        _policy(facts, changed, policies),
        _explanation(facts, policies),
        _history(facts, policies),
    )
    factors = tuple(one.factor for one in weighed)
    score = weighted(factors)
    return AppealBrief(
        factors=factors,
        score=score,
        recommendation=recommended(score, facts.unavailable, policies),
        for_the_user=_once(reason for one in weighed for reason in one.pro),
        for_the_decision=_once((*_for_the_decision(facts, policies), *(each for one in weighed for each in one.con))),
        similar_case_ids=tuple(precedent.case_id for precedent in facts.similar),
        policy_changed=changed,
        unavailable=facts.unavailable,
        prepared_by=PREPARED_BY,
    )


def _once(reasons: Iterable[str]) -> tuple[str, ...]:
    """Each reason once, however many factors it speaks to, in their order."""
    return tuple(dict.fromkeys(reasons))


def weighted(factors: Iterable[FactorScore]) -> float:
    """The mean of the factors that could be weighed, by their weights; 0 where there was none."""
    known = [(factor.score, factor.weight) for factor in factors if factor.score is not None]
    whole = sum(weight for _, weight in known)
    return sum(score * weight for score, weight in known) / whole if whole else 0.0


def recommended(score: float, unavailable: tuple[str, ...], policies: PolicySet) -> AppealOutcome:
    """What the machine would do. Where something could not be asked it only asks for a closer look (I3)."""
    rules = policies.thresholds.appeals
    if unavailable:
        return AppealOutcome.ESCALATE
    if score >= rules.overturn_from:
        return AppealOutcome.OVERTURN
    return AppealOutcome.ESCALATE if score >= rules.escalate_from else AppealOutcome.UPHOLD


def policy_changed(case: Case, policies: PolicySet) -> bool:
    """Whether the guideline that was applied has another version now."""
    violated = case.violation_type
    return (
        violated is not None
        and case.machine.policy is violated
        and (case.machine.policy_version != policies.guideline(violated).version)
    )


class Weighed(Frozen):
    """One factor, and which of its reasons speak for the user and which against."""

    factor: FactorScore
    pro: tuple[str, ...] = ()
    con: tuple[str, ...] = ()


def _scored(
    factor: AppealFactor, start: float, found: Iterable[tuple[bool, float, str]], policies: PolicySet
) -> Weighed:
    """A factor from its start and what was found of (whether, points, in words)."""
    there = [(points, words) for applies, points, words in found if applies]
    score = min(1.0, max(0.0, start + sum(points for points, _ in there)))
    reasons = tuple(words for _, words in there)
    weight = policies.thresholds.appeals.weights[factor]
    return Weighed(
        factor=FactorScore(factor=factor, score=round(score, 4), weight=weight, reasons=reasons),
        pro=tuple(words for points, words in there if points > 0),
        con=tuple(words for points, words in there if points < 0),
    )


def _unweighed(factor: AppealFactor, why: str, policies: PolicySet) -> Weighed:
    weight = policies.thresholds.appeals.weights[factor]
    return Weighed(factor=FactorScore(factor=factor, weight=weight, reasons=(why,)))


def _new_evidence(facts: AppealFacts, policies: PolicySet) -> Weighed:
    points, text = policies.thresholds.appeals.points.new_evidence, (facts.new_evidence or "").strip()
    if not text:
        return _unweighed(AppealFactor.NEW_EVIDENCE, "no new evidence was given", policies)
    cases, violations = others_of(facts.case, facts.history)
    clean = violations == 0 and cases > 0
    found = (
        (len(text.split()) >= points.enough_words, points.says_enough, "it says more than a few words"),
        (can_be_checked(text), points.can_be_checked, "it names something that can be looked up"),
        (clean, points.record_agrees, "the record shows no other violation"),
    )
    return _scored(AppealFactor.NEW_EVIDENCE, points.start, found, policies)


def _explanation(facts: AppealFacts, policies: PolicySet) -> Weighed:
    points, text = policies.thresholds.appeals.points.explanation, facts.explanation
    if not text.strip() or text == NO_EXPLANATION:
        return _unweighed(AppealFactor.EXPLANATION, "no explanation was given", policies)
    unhelpful = bool(advice(text, facts.new_evidence))
    found = (
        (len(text.split()) >= points.enough_words, points.says_enough, "it says more than a few words"),
        (gives_context(text), points.gives_context, "it tells of the circumstances"),
        (takes_responsibility(text), points.takes_responsibility, "the writer owns a part of it"),
        (unhelpful, -points.unhelpful, "it says little about the decision"),
    )
    return _scored(AppealFactor.EXPLANATION, points.start, found, policies)


def _policy(facts: AppealFacts, changed: bool, policies: PolicySet) -> Weighed:
    points, case = policies.thresholds.appeals.points.policy_misinterpretation, facts.case
    alike = [p for p in facts.similar if p.confirmed and p.similarity >= points.min_similarity]
    fine = min(sum(p.decision is DecisionKind.APPROVED for p in alike), points.most_similar)
    violating = min(sum(p.decision is DecisionKind.REJECTED for p in alike), points.most_similar)
    limit = policies.thresholds_for(case.violation_type, case.app_id).auto_reject
    reads_fine = facts.reread is not None and facts.reread.policy is None
    less_sure = facts.reread is not None and not reads_fine and facts.reread.confidence < limit
    found = (
        (fine > 0, fine * points.similar, f"people found {fine} similar {_texts(fine)} to be fine"),
        (
            violating > 0,
            -violating * points.similar,
            f"people found {violating} similar {_texts(violating)} to violate",
        ),
        (reads_fine, points.reads_as_fine_now, "today the text reads as fine"),
        (less_sure, points.less_sure_now, "today we would be less sure, and ask a person"),
        (changed, points.policy_changed, "the rule was changed since"),
        (case.reviewed_by == MACHINE, points.nobody_looked, "no person has looked at it yet"),
    )
    return _scored(AppealFactor.POLICY, points.start, found, policies)


def _history(facts: AppealFacts, policies: PolicySet) -> Weighed:
    points = policies.thresholds.appeals.points.history
    age = facts.case.content.context.account_age_days(facts.at)
    cases, violations = others_of(facts.case, facts.history)
    if facts.history is None or (cases == 0 and age is None):
        return _unweighed(AppealFactor.HISTORY, "nothing else is known of the user", policies)
    found = (
        (violations == 0, points.no_violation, "no other violation"),
        (violations > 0, -violations * points.per_violation, f"{violations} other violations"),
        (cases - violations >= points.clean_cases, points.many_clean, f"{cases - violations} other texts were fine"),
        (age is not None and age >= points.account_days, points.old_account, "the account is old"),
    )
    return _scored(AppealFactor.HISTORY, points.start, found, policies)


def others_of(case: Case, history: SubjectHistory | None) -> tuple[int, int]:
    """The user's cases and violations without the one that is appealed; none where nothing is known."""
    if history is None:
        return 0, 0
    rejected = case.decision is DecisionKind.REJECTED
    return max(0, history.cases - 1), max(0, history.violations - int(rejected))


def _for_the_decision(facts: AppealFacts, policies: PolicySet) -> tuple[str, ...]:
    case = facts.case
    said = [case.reasoning]
    if case.violation_type:
        guideline = policies.guideline(case.violation_type)
        said.append(f"The rule, “{guideline.title}”: {guideline.rule}")
    if facts.reread and facts.reread.policy:
        title = policies.guideline(facts.reread.policy).title
        said.append(f"Read again today, it falls under “{title}”, {percent(facts.reread.confidence)} sure.")
    return tuple(said)


def _texts(count: int) -> str:
    return "text" if count == 1 else "texts"
