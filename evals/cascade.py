"""A cheap stage before the encoder: which texts it may call clean by itself, and what that saves and loses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from domain.errors import Invalid
from evals.estimate import estimate
from evals.figures import Bools, Floats, Rows, clopper_pearson, weights_at
from evals.report import Figure

LOST = 0.01
"""Share of the violations caught by the encoder that the stage before it may take away."""

BASE_RATE = 0.05
"""Share of violations in ordinary traffic."""

OWN_MIX, TRAFFIC, BENIGN = "the rows' own mix", f"{BASE_RATE:.0%} violations", "benign public talk"


def threshold(scores: Floats, caught: Bools) -> float:
    """The score below which at most LOST of the `caught` rows lie; minus infinity where nothing is caught."""
    kept = np.sort(scores[caught])
    return float(kept[int(LOST * len(kept) + 1e-9)]) if len(kept) else -np.inf


def skipped(scores: Floats, caught: Bools, writers: Sequence[str]) -> Bools:
    """Which of N rows the first stage calls clean, the threshold for each writer chosen on the rows of the others.

    Raises Invalid where there is a single writer.
    """
    by = np.array(writers)
    if len(set(writers)) < 2:
        raise Invalid("the calibration part is by one writer; the threshold for one is chosen on the rows of others")
    made = np.zeros(len(scores), dtype=bool)
    for writer in set(writers):
        own = by == writer
        made[own] = scores[own] < threshold(scores[~own], caught[~own])
    return made


@dataclass(frozen=True)
class Stage:
    """What the first stage did on the rows compared, all N, and on talk without violations (None: not at hand)."""

    skipped: Bools
    violates: Bools
    caught: Bools
    """Violations that the encoder flags where 1 % of the hard clean rows are false alarms."""
    suspected: Bools
    """The same at ten times as many false alarms: about what a person sees."""
    groups: Sequence[str]
    benign: Bools | None

    def lost(self) -> tuple[Figure, Figure]:
        """Of the violations that the encoder catches, and of those it suspects, the share that is lost."""
        made = []
        for name, found in (("catches", self.caught), ("suspects", self.suspected)):

            def measure(picked: Rows, found: Bools = found) -> float:
                inside = picked[found[picked]]
                return float(self.skipped[inside].mean()) if len(inside) else float("nan")

            title = f"n-grams first: share lost of the violations that the encoder {name}"
            made.append(estimate(title, measure, self.groups, rows=int(found.sum()), higher_is_better=False))
        return made[0], made[1]

    def shares(self) -> Iterator[tuple[str, Figure]]:
        """For each mix of texts, its name and the share that never reaches the encoder."""
        title = "n-grams first: share of texts that skip the encoder, {}"
        yield OWN_MIX, estimate(title.format(OWN_MIX), lambda picked: float(self.skipped[picked].mean()), self.groups)
        yield TRAFFIC, estimate(title.format(TRAFFIC), self._in_traffic, self.groups)
        if self.benign is not None and len(self.benign):
            hits, count = int(self.benign.sum()), len(self.benign)
            yield BENIGN, Figure(title.format(BENIGN), hits / count, *clopper_pearson(hits, count), rows=count)

    def _in_traffic(self, picked: Rows) -> float:
        return float(np.average(self.skipped[picked], weights=weights_at(self.violates[picked], BASE_RATE)))


def rate(first: float, then: float, share: float) -> float:
    """Texts a second where all take the first stage, at its rate, and all but `share` the second."""
    return 1 / (1 / first + (1 - share) / then)
