"""What every suite is given: the loaded chain, and where its data and reports lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from policies.model import PolicySet
from screening.screen import Screener

Row = TypeVar("Row")


@dataclass(frozen=True)
class Context:
    """One run of the evaluations.

    `datasets` holds the public sets, or is None where they are not at hand; `model` is the folder that `screener` was
    loaded from, `corpus` the one with `rows/` and `splits.yaml`. `limit`: at most so many texts of each set. `scratch`
    is a folder for what long suites keep between runs. `injections` is a file or folder of public strings that speak to
    a judge, whose field `column` holds them (None: the usual ones); without it only our own are measured.
    """

    screener: Screener
    policies: PolicySet
    datasets: Path | None
    model: Path
    corpus: Path
    reports: Path
    limit: int | None = None
    scratch: Path = Path("var") / "evals"
    injections: Path | None = None
    column: str | None = None

    def some(self, rows: Sequence[Row]) -> list[Row]:
        """All rows or, where a limit was set, so many of them, spread evenly."""
        if self.limit is None or len(rows) <= self.limit:
            return list(rows)
        return [rows[i * len(rows) // self.limit] for i in range(self.limit)]

    @property
    def named(self) -> str:
        """The model as reports name it: name, version, and the start of the hash of its files."""
        ref = self.screener.ref
        return f"{ref.name} {ref.version} ({ref.sha256[:12]})"
