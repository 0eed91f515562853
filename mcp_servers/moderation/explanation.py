"""Puts a case's record into plain words. Pure: it reads the case and nothing else."""

from domain.case import MACHINE, Case
from domain.memory import Precedent
from domain.signals import Signal
from domain.vocabulary import Policy
from mcp_servers.moderation.answers import Explanation
from policies.consulted import consulted


def explain(case: Case) -> Explanation:
    """The explanation that the case's own record holds."""
    machine = case.machine
    limits = machine.thresholds
    by = "the machine alone" if case.reviewed_by == MACHINE else case.reviewed_by
    telling = [signal for signal in case.assessment.signals if _tells(signal, case.assessment.policy)]
    telling.sort(key=lambda signal: (signal.floor.rank, signal.weight), reverse=True)
    return Explanation(
        case_id=case.id,
        decision=case.decision,
        summary=f"{case.assessment.reasoning} {machine.reasoning}",
        findings=tuple(_finding(signal) for signal in telling),
        language_models=consulted(case.assessment),
        similar_cases=tuple(_precedent(precedent) for precedent in case.precedents),
        thresholds=(
            f"approve from {limits.auto_approve:.0%}, reject from {limits.auto_reject:.0%}; "
            f"rule applied: {machine.trigger}"
        ),
        policy=f"{case.violation_type or 'no violation'}, guideline {machine.policy_version or '-'}, "
        f"set {machine.policy_set}",
        decided_by=by,
    )


def _tells(signal: Signal, verdict: Policy | None) -> bool:
    """Whether a signal says something about this case: what speaks for a violation, or against the verdict."""
    against = signal.weight < 0 and signal.policy in (verdict, None)
    return signal.weight > 0 or signal.floor.rank > 0 or against


def _finding(signal: Signal) -> str:
    quotes = ", ".join(f"“{evidence.quote}”" for evidence in signal.evidence)
    return f"{signal.reason}{f' ({quotes})' if quotes else ''}: {signal.weight:+.2f} log-odds"


def _precedent(precedent: Precedent) -> str:
    said = f"{precedent.decision}{f' ({precedent.policy})' if precedent.policy else ''}"
    who = "confirmed by a person" if precedent.confirmed else "decided by the machine, does not vote"
    return f"{precedent.case_id}: {precedent.similarity:.0%} alike, {said}, {who}"
