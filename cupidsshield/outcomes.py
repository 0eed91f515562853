"""Brings outcomes together: from the database, where rooms below each know a part of them, or from a file.

An outcome of another model, of a text that the model cannot read, or of one that it never scored is left out and
counted: it says nothing of this model's scores.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from data import apps, outcomes
from data.database import Database
from data.outcomes import Reviewed
from domain.assessment import Assessment
from domain.decision import Decision
from domain.errors import Invalid, NotFound
from domain.signals import ModelRef
from domain.vocabulary import Action, DecisionKind, Floor
from policies.decide import Trigger
from screening.outcomes import Outcome, around_in, is_readable, noticed_in

OTHER_MODEL = "another model"
UNREADABLE = "a language that the model cannot read"
UNSCORED = "no score"

NO_APPROVAL = frozenset(Trigger) - {Trigger.DOUBT, Trigger.SURE_CLEAN, Trigger.SURE_VIOLATION}
NO_REJECTION = NO_APPROVAL - {Trigger.REVIEW_FLOOR}
"""The rules that send a case to people however sure the machine is of an approval, or of a rejection."""

Group = tuple[DecisionKind, bool]
"""What the machine decided, and whether a person looked at such a case for a reason or as a sample."""


@dataclass(frozen=True)
class Gathered:
    """The outcomes that can be used, how many others were left out and why, and what no outcome stands for.

    `unseen` are the cases decided alone of which people looked at no sample, by the machine's decision.
    """

    outcomes: tuple[Outcome, ...]
    left_out: dict[str, int]
    unseen: dict[DecisionKind, int]


async def apps_named(database: Database, wanted: str | None) -> tuple[apps.App, ...]:
    """The app of this id or name, or all apps. Raises NotFound."""
    known = await database.read(apps.list_apps)
    if wanted is None:
        return known
    found = tuple(app for app in known if wanted in (app.id, app.name))
    if not found:
        raise NotFound(f"there is no app {wanted[:60]!r}; 'cupidsshield apps list' shows them")
    return found


async def gather(
    database: Database, of: Sequence[apps.App], since: datetime | None, model: ModelRef | None
) -> Gathered:
    """All outcomes of these apps, weighed; `model` None takes those of every model."""
    found: list[Outcome] = []
    left_out: Counter[str] = Counter()
    unseen: Counter[DecisionKind] = Counter()
    for app in of:
        alone = await database.read(
            lambda session, app_id=app.id: outcomes.left_to_the_machine(session, app_id=app_id, since=since)  # type: ignore[misc]
        )
        seen: Counter[Group] = Counter()
        usable: list[tuple[Group, Outcome]] = []
        async for one in reviewed(database, app.id, since):
            group = (one.machine.kind, one.asked_for)
            seen[group] += 1
            outcome = outcome_of(one, app.id, model)
            if isinstance(outcome, Outcome):
                usable.append((group, outcome))
            else:
                left_out[outcome] += 1
        weights = weights_for(seen, alone)
        found += [outcome.model_copy(update={"weight": weights[group]}) for group, outcome in usable]
        for kind in (DecisionKind.APPROVED, DecisionKind.REJECTED):
            if alone.get(kind) and not seen[kind, False]:
                unseen[kind] += alone[kind]
    return Gathered(tuple(found), dict(left_out), dict(unseen))


def weights_for(seen: Counter[Group], alone: dict[DecisionKind, int]) -> dict[Group, float]:
    """How many cases of an app each outcome of a group stands for.

    What people looked at for a reason stands for itself, and, where it was escalated, for what still waits. A sample
    stands for all others that the machine decided alone in that way.
    """
    return {
        (kind, asked_for): 1.0
        if asked_for and kind is not DecisionKind.ESCALATED
        else (number + alone.get(kind, 0)) / number
        for (kind, asked_for), number in seen.items()
    }


def outcome_of(reviewed: Reviewed, app_id: str, model: ModelRef | None) -> Outcome | str:
    """The outcome that a decided case is, of weight 1; or why it is left out."""
    assessment = reviewed.assessment
    if not is_readable(assessment.signals):
        return UNREADABLE
    noticed = noticed_in(assessment.signals, assessment.model)
    if noticed is None:
        return UNSCORED
    if model is not None and noticed.model != model:
        return OTHER_MODEL
    return Outcome(
        **{name: getattr(noticed, name) for name in type(noticed).model_fields if name != "around"},
        around=around_in(assessment.signals),
        case_id=reviewed.case_id,
        app_id=app_id,
        policy_set=reviewed.machine.policy_set,
        verdict=assessment.policy,
        confidence=assessment.confidence,
        kind=reviewed.machine.kind,
        approvable=reviewed.machine.trigger not in NO_APPROVAL and assessment.floor is Floor.NONE,
        rejectable=reviewed.machine.trigger not in NO_REJECTION and not _ladder_asks(assessment, reviewed.machine),
        violates=reviewed.decision is DecisionKind.REJECTED,
        policy=reviewed.policy,
    )


def save(path: Path, found: Sequence[Outcome]) -> None:
    """Write outcomes as JSON lines; they hold no content and no author."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{outcome.model_dump_json()}\n" for outcome in found)


def read(path: Path, model: ModelRef) -> Gathered:
    """The outcomes in a file that `save` wrote. Raises Invalid naming the line that cannot be used."""
    found: list[Outcome] = []
    others = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    outcome = Outcome.model_validate_json(line)
                except ValidationError as error:
                    raise Invalid(f"{path}:{number}: not an outcome: {_first_problem(error)}") from error
                if outcome.model == model:
                    found.append(outcome)
                else:
                    others += 1
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: cannot be read: {error}") from error
    return Gathered(tuple(found), {OTHER_MODEL: others} if others else {}, {})


async def reviewed(database: Database, app_id: str, since: datetime | None) -> AsyncIterator[Reviewed]:
    """All cases of an app that people decided, oldest first, a page at a time."""
    last: Reviewed | None = None
    while page := await database.read(
        lambda session, after=last: outcomes.decided_by_people(session, app_id=app_id, since=since, after=after)  # type: ignore[misc]
    ):
        for one in page:
            yield one
        last = page[-1]


def _ladder_asks(assessment: Assessment, machine: Decision) -> bool:
    """Whether the ladder wants a person for this severity, or nobody could tell the severity."""
    unknown = assessment.policy is not None and assessment.severity is None
    return unknown or Action.FLAG_FOR_REVIEW in (machine.action, machine.proposed_action)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
