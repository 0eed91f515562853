"""Whether the scores of late look like those that the calibration was fitted on. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.assessment import Assessment
from domain.signals import ModelRef
from screening.calibration import Calibration
from screening.outcomes import Floats, log_odds, noticed_in

BINS = 10


@dataclass(frozen=True)
class Drift:
    """The shift of an app's scores: `index` over `measured` of its `cases`; None where it cannot be told.

    `measured` are the cases drawn that this model scored in a language that it reads.
    """

    cases: int
    measured: int
    index: float | None


def drift(
    cases: int, assessments: Iterable[Assessment], calibration: Calibration, model: ModelRef, *, fewest: int
) -> Drift:
    """The drift of an app with so many cases, of which some are given; no index below `fewest` of them.

    Scores are worked out anew from raw logits and rules, so that a change of calibration is no drift, and from the text
    alone, as the reference was.
    """
    seen = [
        noticed
        for assessment in assessments
        if assessment.model == model and (noticed := noticed_in(assessment.signals, assessment.model))
    ]
    if len(seen) < fewest or not calibration.reference:
        return Drift(cases, len(seen), None)
    return Drift(cases, len(seen), population_stability(log_odds(seen, calibration)[:, -1], calibration.reference))


def population_stability(scores: Floats, reference: Sequence[float]) -> float:
    """The population stability index of N scores against nine ascending deciles (Siddiqi 2006): 0 where alike.

    The sum over ten bins of `(p - q) ln(p / q)`, with `q` .1 by construction and `p` the share of the scores, to which
    half a score is added in each bin (Jeffreys 1946), so that an empty bin is not infinitely strange. By chance alone
    it comes to about 9 / N.
    """
    in_bin = np.searchsorted(np.asarray(reference), scores, side="left")
    found = (np.bincount(in_bin, minlength=BINS) + 0.5) / (len(scores) + 0.5 * BINS)
    return float(((found - 1 / BINS) * np.log(found * BINS)).sum())
