"""What people decided where language models had spoken: gathered from the record, and what weights follow from it.

Reads no content and no author. An opinion about a text that the classifier cannot read is left out and counted, for
nothing is known of where such a text stood before.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from cupidsshield import outcomes
from cupidsshield.opinion_fitting import Borne, Fit, about, bounded_weights, fit, held_out
from data import apps
from data import outcomes as stored
from data.database import Database
from data.outcomes import Reviewed
from domain.errors import Invalid
from domain.opinion import Reading
from domain.vocabulary import DecisionKind, SignalSource
from policies.consulting import AgentRules, FittingRules
from policies.opinion_weights import FittedWeights
from policies.score import stand
from screening.outcomes import Floats, is_readable, sigmoid
from screening.reliability import Estimate, calibration_error, estimate, log_loss


@dataclass(frozen=True)
class Gathered:
    """Opinions beside what people decided, how many were left out, and the cases decided alone that stand unseen."""

    borne: tuple[Borne, ...]
    unreadable: int
    unseen: dict[DecisionKind, int]


@dataclass(frozen=True)
class Reliability:
    """One measure with the weights set by hand and with fitted ones, on opinions that the fit had not seen."""

    name: str
    before: Estimate
    after: Estimate


@dataclass(frozen=True)
class Refit:
    """What one model's outcomes come to. `helps`: held out, fitted weights are truer than those set by hand."""

    fit: Fit
    outcomes: int
    violations: int
    samples: int
    said: dict[tuple[Reading, int], int]
    reliability: tuple[Reliability, ...]
    helps: bool


async def gather(database: Database, of: Sequence[apps.App], since: datetime | None) -> Gathered:
    """All opinions of decided cases of these apps, each weighed as `outcomes.weights_for` says."""
    found: list[Borne] = []
    unreadable = 0
    unseen: Counter[DecisionKind] = Counter()
    for app in of:
        alone = await database.read(
            lambda session, app_id=app.id: stored.left_to_the_machine(session, app_id=app_id, since=since)  # type: ignore[misc]
        )
        seen: Counter[outcomes.Group] = Counter()
        usable: list[tuple[outcomes.Group, Borne]] = []
        async for one in outcomes.reviewed(database, app.id, since):
            group = (one.machine.kind, one.asked_for)
            seen[group] += 1
            if is_readable(one.assessment.signals):
                usable += [(group, borne) for borne in borne_of(one)]
            else:
                unreadable += len(borne_of(one))
        weights = outcomes.weights_for(seen, alone)
        found += [replace(borne, weight=weights[group]) for group, borne in usable]
        for kind in (DecisionKind.APPROVED, DecisionKind.REJECTED):
            if alone.get(kind) and not seen[kind, False]:
                unseen[kind] += alone[kind]
    return Gathered(tuple(found), unreadable, dict(unseen))


def borne_of(reviewed: Reviewed) -> tuple[Borne, ...]:
    """Each opinion of a decided case beside what the person decided; none where no model was asked.

    People name one guideline: an opinion about another one counts as not borne out where it reads a violation, and as
    borne out where it reads none.
    """
    assessment = reviewed.assessment
    said = assessment.consultation.opinions if assessment.consultation else ()
    before = stand(signal for signal in assessment.signals if signal.source is not SignalSource.AGENT)
    rejected = reviewed.decision is DecisionKind.REJECTED
    found = []
    for opinion in said:
        policies, stood = about(opinion, before)
        borne = Borne(
            case_id=reviewed.case_id,
            specialist=opinion.specialist,
            reading=opinion.reading,
            certainty=opinion.certainty,
            model=opinion.model,
            prompt=opinion.prompt,
            stood=stood,
            violates=rejected and reviewed.policy in policies,
            sample=reviewed.machine.kind is not DecisionKind.ESCALATED and not reviewed.asked_for,
        )
        found.append(borne)
    return tuple(found)


def refits(gathered: Gathered, rules: AgentRules) -> tuple[Refit, ...]:
    """What each model with enough outcomes comes to. Raises Invalid, saying what is needed, where none has enough."""
    limits = rules.fitting
    models = dict.fromkeys(one.model for one in gathered.borne)
    by_model = {model: [one for one in gathered.borne if one.model == model] for model in models}
    enough = {model: own for model, own in by_model.items() if _is_enough(own, limits)}
    if not enough:
        raise Invalid(_too_few(by_model, limits))
    return tuple(_refit(bounded_weights(own, limits.heaviest), rules) for own in enough.values())


def fitted(made: Iterable[Refit]) -> FittedWeights:
    """The weights of all models that they help. Raises Invalid where they help none."""
    judges = tuple(judge for one in made if one.helps for judge in one.fit.judges)
    if not judges:
        raise Invalid(
            "fitted weights tell no more than those set by hand on outcomes that the fit had not seen; nothing is "
            "written; keep the weights in force until more cases are decided"
        )
    return FittedWeights(judges=judges)


def _is_enough(borne: Sequence[Borne], limits: FittingRules) -> bool:
    violations = sum(one.violates for one in borne)
    return len(borne) >= limits.fewest and min(violations, len(borne) - violations) >= limits.fewest_of_each


def _too_few(by_model: dict[str, list[Borne]], limits: FittingRules) -> str:
    counted = [
        f"{len(own)} of {model} ({sum(one.violates for one in own)} violating)" for model, own in by_model.items()
    ]
    return (
        f"too few opinions that people have decided about: there are {', '.join(counted) or 'none'}; a model needs "
        f"{limits.fewest}, with {limits.fewest_of_each} on violations and {limits.fewest_of_each} on fine texts among "
        "them; have people decide more cases of which a model was asked, or leave out --since and --app"
    )


def _refit(borne: list[Borne], rules: AgentRules) -> Refit:
    violates = np.array([one.violates for one in borne], dtype=bool)
    weights = np.array([one.weight for one in borne], dtype=np.float64)
    sums = held_out(borne, rules.weights, rules.fitting)
    made = fit(borne, rules.weights, rules.fitting)
    said = Counter((one.reading, one.certainty) for one in borne)

    def measured(name: str, of: Callable[[Floats, Floats], float], lean: float) -> Reliability:
        before, after = (
            estimate(lambda w, place=place: of(sigmoid(sums[:, place] - lean), w), weights)  # type: ignore[misc]
            for place in (1, 2)
        )
        return Reliability(name, before, after)

    def loss(chance: Floats, w: Floats) -> float:
        return log_loss(violates, chance, w)

    def error(chance: Floats, w: Floats) -> float:
        return calibration_error(violates, chance, w)

    reliability = (
        measured("log loss", loss, 0.0),
        measured("calibration error", error, 0.0),
        measured("log loss, lean left in", loss, made.lean),
        measured("calibration error, lean left in", error, made.lean),
    )
    helps = bool(made.judges) and reliability[0].after.value < reliability[0].before.value
    return Refit(
        made, len(borne), int(violates.sum()), sum(one.sample for one in borne), dict(said), reliability, helps
    )
