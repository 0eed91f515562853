"""Runs evaluation suites and writes their reports, or checks that no figure got worse.

Exit status: 0 all well, 1 a figure got worse, 2 something could not be measured.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from domain.errors import CupidsShieldError, Invalid
from evals import report
from evals.context import Context
from evals.suites import NAMES, SUITES
from policies.loader import load as load_policies
from screening.screen import DEFAULT_MODEL, Screener

ROOT = Path(__file__).parent.parent
REPORTS = ROOT / "evals" / "reports"
TRIALS = ROOT / "var" / "evals"
ALL = "all"
WORSE, FAILED = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.check and chosen.limit:
        parser.error("--check compares figures on all texts; leave out --limit")
    if chosen.datasets and not chosen.datasets.is_dir():
        parser.error(f"--datasets: {chosen.datasets} is not a folder; give the one that holds the public sets")
    reports = chosen.reports or (TRIALS if chosen.limit else REPORTS)
    names = list(NAMES) if ALL in chosen.suites else list(dict.fromkeys(chosen.suites))
    try:
        with _context(chosen, reports) as context:
            return asyncio.run(_run(context, names, check=chosen.check, lenient=ALL in chosen.suites))
    except CupidsShieldError as error:
        print(f"evals: {error}", file=sys.stderr)
        return FAILED


class _WholeNames(argparse.HelpFormatter):
    """Help in which no name is broken at its dash."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_on_hyphens=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals",
        formatter_class=_WholeNames,
        description="Run evaluation suites; each writes <suite>.json and <suite>.md into the folder of reports.",
        epilog="Exit status: 0 all well, 1 a figure got worse, 2 something could not be measured.",
    )
    parser.add_argument(
        "suites", nargs="+", choices=(*NAMES, ALL), metavar="SUITE", help=f"{', '.join(NAMES)}, or {ALL}"
    )
    parser.add_argument(
        "--datasets", type=Path, metavar="DIR", help="folder of the public sets, for suites that need it"
    )
    parser.add_argument(
        "--injections", type=Path, metavar="PATH", help="public strings for `injection`: text, CSV, JSON lines or JSON"
    )
    parser.add_argument("--column", metavar="NAME", help="the field of --injections that holds the strings")
    parser.add_argument("--corpus", type=Path, default=ROOT / "data" / "corpus", metavar="DIR", help="our own corpus")
    parser.add_argument(
        "--model", type=Path, default=ROOT / "data" / "models" / DEFAULT_MODEL, metavar="DIR", help="model folder"
    )
    parser.add_argument(
        "--reports", type=Path, metavar="DIR", help="folder of the reports (evals/reports; var/evals with --limit)"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="a quick trial: at most N texts of each set")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when a figure is worse than its report allows"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of texts; give 1 or more")
    return int(text)


@contextmanager
def _context(chosen: argparse.Namespace, reports: Path) -> Iterator[Context]:
    """The loaded chain, for as long as the block lasts."""
    threads = min(os.cpu_count() or 1, 4)
    screener = Screener.load(chosen.model, model=chosen.model.name, threads=threads)
    try:
        yield Context(
            screener=screener,
            policies=load_policies(),
            datasets=chosen.datasets,
            model=chosen.model,
            corpus=chosen.corpus,
            reports=reports,
            limit=chosen.limit,
            scratch=TRIALS,
            injections=chosen.injections,
            column=chosen.column,
        )
    finally:
        screener.close()


async def _run(context: Context, names: Sequence[str], *, check: bool, lenient: bool) -> int:
    """Run the suites one after another; the exit status. `lenient`: what cannot be measured is passed over."""
    status = 0
    for name in names:
        try:
            worse = await (_check(name, context) if check else _write(name, context))
        except Invalid as error:
            print(f"{name}: {'skipped' if lenient else 'not measured'}: {error}", file=sys.stderr)
            status = status if lenient else FAILED
            continue
        for sentence in worse:
            print(f"worse: {sentence}", file=sys.stderr)
        status = status or (WORSE if worse else 0)
    return status


async def _write(name: str, context: Context) -> list[str]:
    """Run one suite and write its report and the index; nothing can be worse."""
    found = await SUITES[name](context)
    report.write(found, context.reports)
    report.index(context.reports)
    _print(found)
    print(f"  → {context.reports / name}.md\n")
    return []


async def _check(name: str, context: Context) -> list[str]:
    """Run one suite beside its report; what got worse. Pictures go to a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        found = await SUITES[name](replace(context, reports=Path(folder)))
    _print(found)
    return report.compare(found, context.reports)


def _print(found: report.Report) -> None:
    print(found.title)
    for figure in found.figures:
        print(f"  {report.shown(figure.value):>9}  {figure.name}")


if __name__ == "__main__":
    raise SystemExit(main())
