"""Quality: second looks and how far people agree, what leads make of disagreements, and items whose answer is known."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from data import cases, golden, quality
from data.statistics import work
from domain.estimates import Kappa, kappa
from domain.quality import Right as WhoIsRight
from domain.staff import Right, Staff
from domain.statistics import Pairs
from domain.vocabulary import DecisionKind, Policy
from policies.quality import decide_again
from ui.access import Pages, signed_in, visit_of
from ui.asked import Span
from ui.flash import flash
from ui.pages import render, words
from ui.parts import Has
from ui.routes.numbers import asked_by
from ui.sheets import Cell, Sheet, count, share, text

router = Pages()

Lead = Annotated[Staff, Depends(signed_in(Right.LEAD_QUALITY))]
HERE = "/quality"


@router.get("/quality")
async def overview(
    request: Request, parts: Has, staff: Lead, window: Annotated[Span, Query()] = Span.MONTH
) -> Response:
    """How the second looks go, and what waits for a lead."""
    asked = asked_by(visit_of(request), parts, window)

    def read(session: Session) -> dict[str, Any]:
        pairs = quality.pairs(session, app_ids=asked.app_ids, window=asked.window)
        scores = golden.scores(session, app_ids=asked.app_ids, window=asked.window)
        open_number, found = quality.disagreements(session, lead=staff, app_ids=asked.app_ids)
        items = golden.golden_items(session, lead=staff, app_ids=asked.app_ids)
        people = {p.first for p in pairs} | {p.second for p in pairs} | {s.reviewer for s in scores}
        people |= {d.first.reviewer for d in found} | {d.second.reviewer for d in found} | {g.set_by for g in items}
        names = work.names_of(session, staff_ids=people)
        rows = [
            (text(names.get(s.reviewer, s.reviewer)), count(s.right.of), share(s.right, asked.fewest))
            for s in sorted(scores, key=lambda s: names.get(s.reviewer, ""))
        ]
        return {
            "stream": quality.stream(session, app_ids=asked.app_ids, window=asked.window),
            "open_number": open_number,
            "found": found,
            "items": items,
            "names": names,
            "sheets_shown": (_by_policy(pairs, asked.fewest), _by_reviewer(pairs, names, asked.fewest), _scores(rows)),
        }

    known = await parts.database.read(read)
    return render(request, "quality.html", asked=asked, spans=list(Span), policies=list(Policy), **known)


@router.post("/quality/settle")
async def settle(
    request: Request,
    parts: Has,
    staff: Lead,
    decision: Annotated[str, Form(max_length=80)],
    right: Annotated[WhoIsRight, Form()],
    becomes_golden: Annotated[bool, Form(alias="golden")] = False,
) -> Response:
    """Say who was right. Where the case stands otherwise, people decide it again: leads measure and do not decide."""

    def answer(session: Session) -> bool:
        found = quality.disagreement(session, lead=staff, decision_id=decision)
        case = cases.get(session, app_id=found.app_id, case_id=found.case_id)
        again = None
        if right is WhoIsRight.SECOND:
            again = decide_again(found, case, staff, parts.policies, at=parts.clock())
        quality.settle(
            session, lead=staff, decision_id=decision, right=right, becomes_golden=becomes_golden, again=again
        )
        return again is not None

    put_back = await parts.database.write(answer)
    told = "Settled." + (" The case is in the queue again, for a person to decide." if put_back else "")
    return _back(request, told)


@router.post("/quality/golden")
async def mark(
    request: Request,
    parts: Has,
    staff: Lead,
    case: Annotated[str, Form(min_length=1, max_length=80)],
    answer: Annotated[DecisionKind | Policy, Form()],
) -> Response:
    """Make a decided case golden: the right answer is to approve it, or to reject it under a policy."""
    policy = Policy(answer) if answer in set(Policy) else None
    kind = DecisionKind.REJECTED if policy else DecisionKind(answer)
    await parts.database.write(lambda s: golden.mark(s, lead=staff, case_id=case.strip(), decision=kind, policy=policy))
    return _back(request, "From now on it is given out among the second looks.")


@router.post("/quality/golden/{case_id}/end")
async def unmark(request: Request, parts: Has, staff: Lead, case_id: str) -> Response:
    """Give it out no more."""
    await parts.database.write(lambda s: golden.unmark(s, lead=staff, case_id=case_id))
    return _back(request, "It is given out no more, and the answers to it are no longer counted.")


def _by_policy(pairs: Sequence[Pairs], fewest: int) -> Sheet:
    """One policy against the rest: was the case rejected under it, or not?"""
    rows = [("all", "any", _kappa((p.answers, p.number) for p in pairs))] if pairs else []
    for policy in Policy:
        if any(policy in p.answers for p in pairs):
            found = _kappa(((str(p.answers[0] == policy), str(p.answers[1] == policy)), p.number) for p in pairs)
            rows.append((policy.value, words(policy), found))
    return Sheet(
        name="agreement-by-policy",
        title="Agreement by policy",
        about="Cohen's kappa of first and second decisions: 1 is always, 0 is as often as by chance. The interval is "
        "that of Fleiss, Cohen and Everitt (1969), at 95 %. Of a single policy it is asked: rejected under it, or not?",
        columns=("Policy", "Pairs", "Agreed", "Kappa"),
        rows=[_row(Cell(shown, name), found, fewest) for name, shown, found in rows],
        empty="No second looks in this window.",
    )


def _by_reviewer(pairs: Iterable[Pairs], names: Mapping[str, str], fewest: int) -> Sheet:
    mine: dict[str, list[tuple[tuple[str, str], int]]] = {}
    for p in pairs:
        for person in {p.first, p.second}:
            mine.setdefault(person, []).append((p.answers, p.number))
    found = [
        (names.get(person, person), _kappa(mine[person])) for person in sorted(mine, key=lambda p: names.get(p, p))
    ]
    return Sheet(
        name="agreement-by-reviewer",
        title="Agreement by reviewer",
        about="Of each person with whoever decided the same case, first or second.",
        columns=("Who", "Pairs", "Agreed", "Kappa"),
        rows=[_row(text(name), one, fewest) for name, one in found],
        empty="No second looks in this window.",
    )


def _scores(rows: Sequence[Sequence[Cell]]) -> Sheet:
    return Sheet(
        name="golden",
        title="Golden items by reviewer",
        about="Answers to cases whose right answer is known, given without knowing that they are.",
        columns=("Who", "Answered", "Right"),
        rows=rows,
        empty="Nobody has been asked a golden item in this window.",
    )


def _kappa(answers: Iterable[tuple[tuple[str, str], int]]) -> Kappa:
    counted: Counter[tuple[str, str]] = Counter()
    for pair, number in answers:
        counted[pair] += number
    return kappa(counted)


def _row(name: Cell, found: Kappa, fewest: int) -> tuple[Cell, ...]:
    return (name, count(found.pairs), share(found.agreed, fewest), _kappa_cell(found, fewest))


def _kappa_cell(found: Kappa, fewest: int) -> Cell:
    if found.pairs < fewest:
        return Cell("–", None, note="too few to say")
    if found.value is None:
        return Cell("–", None, note="all answers alike")
    if found.low is None or found.high is None:
        return Cell(f"{found.value:.2f}", round(found.value, 3), note="no disagreement yet")
    return Cell(f"{found.value:.2f}", round(found.value, 3), note=f"{found.low:.2f} to {found.high:.2f}")


def _back(request: Request, said: str) -> Response:
    response = RedirectResponse(HERE, status_code=303)
    flash(request, response, said)
    return response
