"""Tables of numbers that are shown, and downloaded: the same rows as HTML and as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.estimates import Share
from domain.vocabulary import Policy
from ui.pages import percent, words

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for a formula at the beginning of a cell."""

Raw = str | int | float | None


@dataclass(frozen=True)
class Cell:
    """What is shown, and what a file gets (`raw`). `part` of a whole is drawn as a bar; `note` says how sure it is;
    `alarming` is above a limit."""

    shown: str
    raw: Raw
    note: str = ""
    part: float | None = None
    alarming: bool = False

    @property
    def is_number(self) -> bool:
        return isinstance(self.raw, int | float)


@dataclass(frozen=True)
class Sheet:
    """One table. `name` is its address, `about` says what is counted. Without rows, `empty` says why."""

    name: str
    title: str
    about: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    empty: str = "Nothing in this window."
    chart: dict[str, object] | None = field(default=None)

    def csv(self) -> str:
        """The table as a file (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([harmless(column) for column in self.columns])
        writer.writerows([[harmless(cell.raw) for cell in row] for row in self.rows])
        return out.getvalue()


def harmless(value: Raw) -> Raw:
    """A value that no spreadsheet runs."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value


def text(value: object, shown: str | None = None) -> Cell:
    """A word of a closed set, or a name."""
    said = "" if value is None else str(value)
    return Cell(shown if shown is not None else words(value), said)


def policy_cell(policy: Policy | None, without: str) -> Cell:
    """A policy, or what is said where there is none."""
    return text(policy, words(policy) if policy else without)


def count(value: int, *, alarming: bool = False) -> Cell:
    """A number of things."""
    return Cell(f"{value:,}", value, alarming=alarming)


def share(of: Share, fewest: int, *, alarming: bool = False) -> Cell:
    """A share with its interval. Of fewer than `fewest` it says how many instead: a rate would only look like one."""
    if of.value is None:
        return Cell("–", None)
    if of.of < fewest:
        return Cell(f"{of.hits} of {of.of}", None, note="too few to say")
    low, high = of.interval
    note = f"{percent(low)} to {percent(high)}"
    return Cell(percent(of.value), round(of.value, 4), note=note, part=of.value, alarming=alarming)


def duration(seconds: float | None) -> Cell:
    """A span of time, in its largest unit."""
    return Cell(span(seconds), None if seconds is None else round(seconds, 1))


def span(seconds: float | None) -> str:
    """`4.5 h`; – for None."""
    if seconds is None:
        return "–"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
