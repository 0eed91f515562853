"""Makes new rows of old ones where the label stays what it is.

Groups named in a text change places with groups of the same kind, so that the mere name of a group tells nothing
(counterfactual augmentation: Garg et al. 2019, "Counterfactual fairness in text classification through robustness").
And a row is set among harmless ones, so that a violation counts however much small talk is around
it, and long texts are not suspicious for being long.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from screening.training.sources import CLEAN, Example

SWAPPED_SHARE = 0.5
"""Rows an epoch that name another group, of those that name one."""

JOINED_SHARE = 0.1
"""Rows an epoch that stand among others, of those short enough."""

JOINED_CHARACTERS = 160
"""Longest row that is joined, and longest that is put beside it."""

MOST_BESIDE = 4

_KINDS: Sequence[Sequence[str]] = yaml.safe_load(Path(__file__).with_name("groups.yaml").read_text(encoding="utf-8"))
_KIND_OF: Mapping[str, Sequence[str]] = {name: kind for kind in _KINDS for name in kind}
_NAMED = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _KIND_OF), key=len, reverse=True)) + r")\b", re.IGNORECASE)


def swapped(example: Example, dice: random.Random) -> Example:
    """The row with each group that it names changed for another of its kind, the same each time; English alone."""
    if example.lang != "en" or not _NAMED.search(example.text) or dice.random() >= SWAPPED_SHARE:
        return example
    chosen: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        name = found[0]
        new = chosen.setdefault(name.lower(), dice.choice(_KIND_OF[name.lower()]))
        return new.upper() if name.isupper() else new.capitalize() if name[0].isupper() else new

    return replace(example, text=_NAMED.sub(other, example.text))


class Company:
    """The harmless rows that others are set among, by language."""

    def __init__(self, rows: Sequence[Example]) -> None:
        self._texts: dict[str, list[str]] = {}
        for row in rows:
            if row.labels == {CLEAN} and row.kind == "message" and len(row.text) <= JOINED_CHARACTERS:
                self._texts.setdefault(row.lang, []).append(row.text)

    def joined(self, example: Example, dice: random.Random) -> Example:
        """The row at any place among up to `MOST_BESIDE` harmless ones of its language; bios stay as they are."""
        beside = self._texts.get(example.lang)
        fits = example.kind != "bio" and len(example.text) <= JOINED_CHARACTERS
        if not beside or not fits or dice.random() >= JOINED_SHARE:
            return example
        parts = [dice.choice(beside) for _ in range(dice.randint(1, MOST_BESIDE))]
        parts.insert(dice.randint(0, len(parts)), example.text)
        return replace(example, text=dice.choice((" ", " ", "\n")).join(_closed(part, dice) for part in parts))


def _closed(part: str, dice: random.Random) -> str:
    """A part with an end, mostly, so that it can be told from the next."""
    return part if part[-1] in ".!?…" or dice.random() < 0.3 else f"{part}."
