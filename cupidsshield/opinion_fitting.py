"""Fits what opinions weigh on what people decided where a model had spoken. Pure: reads no database.

A weight is the log-likelihood ratio of an answer, log P(said | violates) - log P(said | fine), given what was known
before any model spoke. People see mostly what was doubtful, chosen by score and opinion and not by the answer, which
leaves the chance of a violation at a given score and opinion as it is; so the ratio is fitted beside the score, never
from bare counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.opinion import LEAST_CERTAIN, MOST_CERTAIN, REMIT, Opinion, Reading, Specialist
from domain.vocabulary import Policy
from policies.consulting import FittingRules, OpinionWeights
from policies.opinion_weights import JudgeWeights
from policies.score import Standing, log_odds

Floats = NDArray[np.float64]

HALVINGS = 50
FARTHEST = 30.0
"""Log-odds between which a weight is sought: beyond them a probability is 0 or 1 to any purpose."""

PARTS = 5
"""Parts of a cross-validation."""


@dataclass(frozen=True)
class Borne:
    """One opinion beside what a person decided.

    `stood` are the log-odds, before any model spoke, of the guideline that the opinion is about. `weight` is how many
    such cases it stands for. `sample`: the machine had decided the case alone, and a person looked at it by lot.
    """

    case_id: str
    specialist: Specialist
    reading: Reading
    certainty: int
    model: str
    prompt: str
    stood: float
    violates: bool
    weight: float = 1.0
    sample: bool = False


@dataclass(frozen=True)
class Fit:
    """The weights of one model. `lean` is how far, in log-odds, what stood before was off among these cases: it is
    taken out of the weights, for it is not the model's doing. `bounded`: too few samples were seen of what the machine
    decided alone for any weight to rise above the one set by hand. `pooled` are the weights of all prompts together."""

    model: str
    lean: float
    bounded: bool
    pooled: OpinionWeights
    judges: tuple[JudgeWeights, ...]


def about(opinion: Opinion, standing: Standing) -> tuple[frozenset[Policy], float]:
    """The guidelines that an opinion is about, and where the likeliest of them stood before it, in log-odds."""
    named = opinion.reading is Reading.VIOLATES and opinion.policy is not None
    policies = frozenset({opinion.policy} if named and opinion.policy else REMIT[opinion.specialist])
    chances = [standing.scores[policy] for policy in policies if policy in standing.scores]
    return policies, log_odds(max(chances, default=standing.any_violation))


def fit(borne: Sequence[Borne], by_hand: OpinionWeights, rules: FittingRules) -> Fit:
    """The weights of one model, all of whose opinions these are.

    All its prompts together are drawn towards the weights set by hand, and each prompt with enough outcomes towards
    those of all together, by pseudo-counts: so many opinions that would have been borne out as often as the weight
    says, of a text of which nothing else was known.
    """
    bounded = sum(one.sample for one in borne) < rules.fewest_samples
    limits = by_hand if bounded else OpinionWeights(violates=(rules.most,) * 5, fine=(rules.most,) * 5)
    lean = _lean(borne, rules)
    pooled = _weights(borne, by_hand, limits, lean, rules)
    judges = []
    for prompt in sorted({one.prompt for one in borne}):
        own = [one for one in borne if one.prompt == prompt]
        if len(own) >= rules.fewest_of_a_prompt:
            weights = _weights(own, pooled, limits, lean, rules)
            judge = JudgeWeights(
                model=own[0].model, prompt=prompt, specialist=own[0].specialist, outcomes=len(own), weights=weights
            )
            judges.append(judge)
    return Fit(borne[0].model, lean, bounded, pooled, tuple(judges))


def held_out(borne: Sequence[Borne], by_hand: OpinionWeights, rules: FittingRules) -> Floats:
    """The log-odds after each opinion, N x 3: as it stood with the lean taken out, and with the weight set by hand or
    fitted added. Fitted on the other parts; opinions about one case never stand in two parts."""
    cases = {case: place for place, case in enumerate(dict.fromkeys(one.case_id for one in borne))}
    part = np.array([cases[one.case_id] % PARTS for one in borne])
    sums = np.empty((len(borne), 3))
    for number in range(PARTS):
        inside = np.flatnonzero(part == number).tolist()
        others = [one for one, at in zip(borne, part, strict=True) if at != number]
        if not inside or not others:
            continue
        made = fit(others, by_hand, rules)
        own = {judge.prompt: judge.weights for judge in made.judges}
        for place in inside:
            one = borne[place]
            stood = one.stood + made.lean
            said = (weights.of(one.reading, one.certainty) for weights in (by_hand, own.get(one.prompt, by_hand)))
            sums[place] = (stood, *(stood + weight for weight in said))
    return sums


def bounded_weights(borne: Iterable[Borne], heaviest: float) -> list[Borne]:
    """The same, none standing for more than so many cases: a sample of a few must not outvote all else."""
    return [replace(one, weight=min(one.weight, heaviest)) for one in borne]


def _lean(borne: Sequence[Borne], rules: FittingRules) -> float:
    """How far what stood before is off, in log-odds: the mean that makes it true of these cases as a whole."""
    stood, violates, worth = _columns(borne)

    def slope(at: float) -> float:
        return float(worth @ (violates - _chance(stood + at))) - at / rules.lean_spread**2

    return _root(slope)


def _weights(
    borne: Sequence[Borne], centre: OpinionWeights, limits: OpinionWeights, lean: float, rules: FittingRules
) -> OpinionWeights:
    def of(reading: Reading, towards: Sequence[float], most: Sequence[float]) -> tuple[float, ...]:
        sign = 1.0 if reading is Reading.VIOLATES else -1.0
        groups = []
        for certainty, weight in enumerate(towards, start=LEAST_CERTAIN):
            own = [one for one in borne if (one.reading, one.certainty) == (reading, certainty)]
            stood, violates, worth = _columns(own)
            groups.append(_Group(sign * (stood + lean), violates if sign > 0 else 1 - violates, worth, (weight,)))
        risen = _rising(groups, rules.pseudo_counts)
        return tuple(round(min(max(weight, 0.0), limit), 4) for weight, limit in zip(risen, most, strict=True))

    return OpinionWeights(
        violates=of(Reading.VIOLATES, centre.violates, limits.violates),
        fine=of(Reading.FINE, centre.fine, limits.fine),
    )


@dataclass(frozen=True)
class _Group:
    """Opinions that get one weight: where each text stood (N, towards the opinion), whether it was borne out (N), what
    it is worth (N), and the weight that each of the certainties in it is drawn to."""

    stood: Floats
    borne: Floats
    worth: Floats
    towards: tuple[float, ...]

    def joined(self, other: "_Group") -> "_Group":
        return _Group(
            np.concatenate([self.stood, other.stood]),
            np.concatenate([self.borne, other.borne]),
            np.concatenate([self.worth, other.worth]),
            (*self.towards, *other.towards),
        )

    def best(self, pseudo_counts: float) -> float:
        expected = _chance(np.array(self.towards))

        def slope(at: float) -> float:
            drawn = pseudo_counts * float((expected - _chance(np.array(at))).sum())
            return float(self.worth @ (self.borne - _chance(self.stood + at))) + drawn

        return _root(slope)


def _rising(groups: Iterable[_Group], pseudo_counts: float) -> list[float]:
    """The weight of each group at the greatest posterior among those that never fall: neighbours that would are
    joined (pool adjacent violators; Ayer et al. 1955, for any convex loss: Best, Chakravarti and Ubhaya 2000)."""
    blocks: list[tuple[_Group, float]] = []
    for group in groups:
        block = (group, group.best(pseudo_counts))
        while blocks and blocks[-1][1] > block[1]:
            joined = blocks.pop()[0].joined(block[0])
            block = (joined, joined.best(pseudo_counts))
        blocks.append(block)
    found = [weight for group, weight in blocks for _ in group.towards]
    assert len(found) == MOST_CERTAIN
    return found


def _columns(borne: Sequence[Borne]) -> tuple[Floats, Floats, Floats]:
    """Log-odds, outcome, and worth of each (Kish 1965: weights count for as many as they are worth), all N."""
    weights = np.array([one.weight for one in borne], dtype=np.float64)
    worth = weights * weights.sum() / (weights**2).sum() if len(weights) else weights
    stood = np.array([one.stood for one in borne], dtype=np.float64)
    return stood, np.array([one.violates for one in borne], dtype=np.float64), worth


def _root(falling: Callable[[float], float]) -> float:
    """Where a falling function of one number crosses zero, by bisection."""
    low, high = -FARTHEST, FARTHEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def _chance(sums: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -sums)))
