"""The reports of the suites: written as JSON and Markdown, compared with an earlier run, listed in an index.

The JSON is what a later run is held against; the Markdown says the same to people.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from domain.errors import Invalid

INDEX = "README.md"
HEADLINES = 4
"""Figures of a suite that the index shows: its first ones, so a suite names its most telling first."""


@dataclass(frozen=True)
class Figure:
    """One number with its 95 % interval and the `rows` it rests on.

    `gate` is how much worse, in absolute terms, a later run may be before the gate fails; None: only shown. `bar` says
    in words what the figure is to be held against.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    gate: float | None = None
    bar: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True)
class Table:
    """A table as it is shown; every row is as long as `head`."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """What one suite found. `what` says in a paragraph what was measured, on what, and how; names are unique.

    `pictures` are files beside the report, `sources` where the data comes from.
    """

    suite: str
    title: str
    what: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    pictures: tuple[str, ...] = ()
    model: str = ""
    sources: tuple[str, ...] = ()


_REPORT = TypeAdapter(Report)


def write(report: Report, folder: Path) -> None:
    """Write `<suite>.json` and `<suite>.md` into `folder`, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_storable(asdict(report)), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / f"{report.suite}.json").write_text(text + "\n", encoding="utf-8")
    (folder / f"{report.suite}.md").write_text(markdown(report), encoding="utf-8")


def read(suite: str, folder: Path) -> Report:
    """The report of a suite as it was written. Raises Invalid where there is none or it cannot be read."""
    path = folder / f"{suite}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        for figure in stored["figures"]:
            figure["value"] = math.nan if figure["value"] is None else figure["value"]
        return _REPORT.validate_python(stored)
    except OSError as error:
        raise Invalid(f"there is no report {path}; write it first: python -m evals {suite}") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        why = str(error).partition("\n")[0]
        raise Invalid(f"{path} is not a report ({why}); write it anew: python -m evals {suite}") from error


def compare(report: Report, folder: Path) -> list[str]:
    """What got worse than the report in `folder` allows, one sentence a figure; empty where nothing did.

    The gates of the earlier report hold, so that a change cannot loosen the gate it must pass. Raises Invalid where
    there is no earlier report.
    """
    fresh = {figure.name: figure for figure in report.figures}
    worse: list[str] = []
    for before in read(report.suite, folder).figures:
        if before.gate is None or not math.isfinite(before.value):
            continue
        figure = fresh.get(before.name)
        if figure is None or not math.isfinite(figure.value):
            worse.append(f"{report.suite}: {before.name} was {shown(before.value)} and is no longer measured")
            continue
        loss = (before.value - figure.value) * (1 if before.higher_is_better else -1)
        if loss > before.gate + 1e-9:
            worse.append(
                f"{report.suite}: {before.name} was {shown(before.value)} and is {shown(figure.value)}, "
                f"worse by {shown(loss)} where {shown(before.gate)} is allowed"
            )
    return worse


def index(folder: Path) -> None:
    """Write the list of all reports in `folder` with the first figures of each suite."""
    reports = [read(path.stem, folder) for path in sorted(folder.glob("*.json"))]
    own = {f"{report.suite}.md" for report in reports} | {INDEX}
    others = sorted(path.name for path in folder.glob("*.md") if path.name not in own)
    lines = [
        "# Figures",
        "",
        "Measured by `python -m evals` (`make evals`); `make evals-check` fails when a figure got worse. Every page "
        "says what was measured, on what, and how. In brackets: 95 % intervals.",
    ]
    for report in reports:
        lines += ["", f"## [{report.title}]({report.suite}.md)", ""]
        for figure in report.figures[:HEADLINES]:
            bounds = f" ({_bounds(figure)})" if _bounds(figure) else ""
            lines.append(f"- {figure.name}: **{shown(figure.value)}**{bounds}")
    if others:
        lines += ["", "Also here: " + ", ".join(f"[{name}]({name})" for name in others)]
    (folder / INDEX).write_text("\n".join(lines) + "\n", encoding="utf-8")


def markdown(report: Report) -> str:
    """The report for people."""
    lines = [f"# {report.title}", "", report.what, ""]
    if report.model:
        lines += [f"Model: {report.model}. Made by `python -m evals {report.suite}`.", ""]
    lines += _figures(report.figures)
    for picture in report.pictures:
        lines += ["", f"![{Path(picture).stem}]({picture})"]
    for table in report.tables:
        lines += ["", f"## {table.title}", "", *_table(table.head, table.rows)]
    if report.sources:
        lines += ["", "Sources:", "", *(f"- {source}" for source in report.sources)]
    return "\n".join(lines) + "\n"


def shown(value: float | None) -> str:
    """A number as reports show it: three decimals, one from 10 upwards, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _figures(figures: Sequence[Figure]) -> list[str]:
    """The figures as a table, without columns that would be empty."""
    columns = {
        "figure": [figure.name for figure in figures],
        "value": [shown(figure.value) for figure in figures],
        "95 % interval": [_bounds(figure) for figure in figures],
        "rows": [f"{figure.rows:,}" if figure.rows is not None else "" for figure in figures],
        "to be held against": [figure.bar for figure in figures],
    }
    filled = {head: cells for head, cells in columns.items() if any(cells)}
    return _table(tuple(filled), zip(*filled.values(), strict=True))


def _bounds(figure: Figure) -> str:
    return f"{shown(figure.low)} to {shown(figure.high)}" if figure.low is not None else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


def _storable(value: object) -> object:
    """The same with null for what JSON cannot hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value
