"""What counts can tell and how surely: shares and agreement with their 95 % intervals. Pure arithmetic."""

import math
from collections.abc import Mapping
from itertools import product

from pydantic import Field

from domain.base import Frozen

Z = 1.959963984540054
"""The two-sided 95 % point of the normal distribution."""


class Share(Frozen):
    """`hits` out of `of`."""

    hits: int = Field(ge=0)
    of: int = Field(ge=0)

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval by Wilson's score (1927): within [0, 1] however few there are; all of it of nothing."""
        if not self.of:
            return 0.0, 1.0
        share, spread = self.hits / self.of, Z * Z / self.of
        middle = share + spread / 2
        reach = Z * math.sqrt(share * (1 - share) / self.of + spread / (4 * self.of))
        return max((middle - reach) / (1 + spread), 0.0), min((middle + reach) / (1 + spread), 1.0)

    def __add__(self, other: "Share") -> "Share":
        return Share(hits=self.hits + other.hits, of=self.of + other.of)


NOTHING = Share(hits=0, of=0)


class Kappa(Frozen):
    """How far two people agree beyond chance: 1 always, 0 as often as chance would have it. None where all answers were
    the same, for then chance explains everything. `low` and `high` bound it with 95 % confidence; without a single
    disagreement there is nothing to tell them by."""

    pairs: int
    agreed: Share
    value: float | None = None
    low: float | None = None
    high: float | None = None


def kappa(pairs: Mapping[tuple[str, str], int]) -> Kappa:
    """Cohen's kappa (1960) of so many pairs of answers, with the large-sample interval of Fleiss, Cohen and Everitt
    (1969)."""
    n = sum(pairs.values())
    if not n:
        return Kappa(pairs=0, agreed=NOTHING)
    agreed = Share(hits=sum(number for (one, other), number in pairs.items() if one == other), of=n)
    answers = sorted({answer for pair in pairs for answer in pair})
    first = {a: sum(number for (one, _), number in pairs.items() if one == a) / n for a in answers}
    second = {a: sum(number for (_, other), number in pairs.items() if other == a) / n for a in answers}
    chance = sum(first[a] * second[a] for a in answers)
    if 1 - chance < 1e-12:
        return Kappa(pairs=n, agreed=agreed)
    observed = agreed.hits / n
    value = (observed - chance) / (1 - chance)
    share = {pair: pairs.get(pair, 0) / n for pair in product(answers, answers)}
    if agreed.hits == n:
        return Kappa(pairs=n, agreed=agreed, value=value)
    same = sum(share[a, a] * (1 - (first[a] + second[a]) * (1 - value)) ** 2 for a in answers)
    other = sum(p * (second[a] + first[b]) ** 2 for (a, b), p in share.items() if a != b)
    variance = same + (1 - value) ** 2 * other - (value - chance * (1 - value)) ** 2
    reach = Z * math.sqrt(max(variance, 0.0) / n) / (1 - chance)
    return Kappa(pairs=n, agreed=agreed, value=value, low=max(value - reach, -1.0), high=min(value + reach, 1.0))
