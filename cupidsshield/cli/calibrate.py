"""`cupidsshield calibrate`: what people decided, turned into calibration and thresholds; `cupidsshield drift`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from cupidsshield import outcomes
from cupidsshield.calibration_report import CalibrationReport, Side, report
from cupidsshield.cli.output import Output, OutputOption, cells, err, out, print_json
from cupidsshield.outcomes import Gathered
from cupidsshield.settings import Settings, read_settings
from data import migrate
from data.database import Database
from domain.clock import now
from domain.errors import Invalid
from domain.signals import ModelRef
from policies.explain import percent
from policies.loader import load
from screening.calibration import Calibration
from screening.drift import Drift
from screening.encoders import load_encoder
from screening.reliability import Estimate
from workers.drift import measure

CALIBRATION = "calibration.json"
T = TypeVar("T")

AppOption = Annotated[str | None, typer.Option("--app", metavar="ID", help="The app's id or name; all if left out.")]
SinceOption = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="Only cases from this day (UTC) on.")
]
OutcomesOption = Annotated[
    Path | None, typer.Option("--outcomes", help="Read outcomes from this JSONL file, not from the database.")
]
ExportOption = Annotated[
    Path | None, typer.Option("--export", help="Write the database's outcomes to this JSONL file, and do no more.")
]
ApproveOption = Annotated[
    float,
    typer.Option("--budget-approve", min=0.0001, max=0.5, help="Errors allowed among approvals without a person."),
]
RejectOption = Annotated[
    float,
    typer.Option("--budget-reject", min=0.0001, max=0.5, help="Errors allowed among rejections without a person."),
]
ConfidenceOption = Annotated[
    float, typer.Option("--confidence", min=0.5, max=0.9999, help="With which confidence a budget must hold.")
]
BaseRateOption = Annotated[
    float,
    typer.Option("--base-rate", min=0.0001, max=0.9999, help="Share of violations to assume where outcomes are few."),
]
WriteOption = Annotated[
    Path | None, typer.Option("--write", help="Write the refitted calibration.json into this folder.")
]


def calibrate(
    app: AppOption = None,
    since: SinceOption = None,
    outcomes_file: OutcomesOption = None,
    export: ExportOption = None,
    budget_approve: ApproveOption = 0.02,
    budget_reject: RejectOption = 0.02,
    confidence: ConfidenceOption = 0.95,
    base_rate: BaseRateOption = 0.05,
    write: WriteOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare the machine's confidences with what people decided. Changes nothing unless --write is given."""
    settings = read_settings()
    if outcomes_file and (export or app or since):
        raise Invalid("--outcomes reads a file; --app, --since and --export are for the database")
    if export:
        _export(export, _from_database(settings, app, since, None))
        return
    target = free_place(write, CALIBRATION) if write else None
    model = load_encoder(settings.embedder, settings.model_folder).ref
    current = Calibration.load(settings.calibration_file, model)
    found = outcomes.read(outcomes_file, model) if outcomes_file else _from_database(settings, app, since, model)
    made = report(
        found,
        current,
        load(settings.policies_dir),
        base_rate=base_rate,
        budgets={Side.APPROVE: budget_approve, Side.REJECT: budget_reject},
        level=confidence,
    )
    if output is Output.JSON:
        print_json({**asdict(made), "refitted": made.refitted.model_dump(mode="json"), **_apart(found)})
    else:
        _show(made, found, model)
    if target:
        _write(target, made.refitted)


def drift(app: AppOption = None, output: OutputOption = Output.TABLE) -> None:
    """Tell how far the scores of late are from those that the calibration was fitted on."""
    settings = read_settings()
    limits = load(settings.policies_dir).thresholds.alerts
    model = load_encoder(settings.embedder, settings.model_folder).ref
    calibration = Calibration.load(settings.calibration_file, model)

    async def work(database: Database) -> list[tuple[str, Drift]]:
        of, at = await outcomes.apps_named(database, app), now()
        return [(a.name, await measure(database, a.id, limits, calibration, model, at)) for a in of]

    found = on_database(settings, work)

    def said(of: Drift) -> str:
        if not calibration.reference:
            return "no reference"
        if of.index is None:
            return f"too few, {limits.score_drift_fewest_cases} are needed"
        return "above the limit" if of.index > limits.score_drift_above else "within the limit"

    if output is Output.JSON:
        for name, of in found:
            print_json({"app": name, **asdict(of), "said": said(of)})
    else:
        table = Table("app", "cases", "measured", "index", "", title=f"last {limits.score_drift_window_hours:g} h")
        for name, of in found:
            index = None if of.index is None else f"{of.index:.3f}"
            table.add_row(*cells(name, of.cases, of.measured, index, said(of)))
        out.print(table if found else "no apps yet; 'cupidsshield keys create --app NAME' makes the first")
    if not calibration.reference:
        told = (
            f"{settings.calibration_file} holds no reference, so drift cannot be told; use a model folder that has one"
        )
        err.print(told, markup=False, highlight=False, soft_wrap=True)


def on_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """What `work` gives on the database of the settings."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings.database)

    async def run() -> T:
        database = Database(settings.database)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _from_database(settings: Settings, app: str | None, since: datetime | None, model: ModelRef | None) -> Gathered:
    moment = since.replace(tzinfo=UTC) if since else None

    async def work(database: Database) -> Gathered:
        return await outcomes.gather(database, await outcomes.apps_named(database, app), moment, model)

    return on_database(settings, work)


def _export(path: Path, found: Gathered) -> None:
    try:
        outcomes.save(path, found.outcomes)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error}") from error
    out.print(f"{len(found.outcomes)} outcomes in {path}", markup=False, highlight=False, soft_wrap=True)


def free_place(folder: Path, name: str) -> Path:
    """Where a file of this name may be written in the folder. Raises Invalid where there is one already."""
    path = folder / name
    if path.exists():
        raise Invalid(f"{path} exists; name another folder, so that the old {path.stem} stays at hand")
    return path


def write_whole(path: Path, text: str) -> None:
    """Write the file whole or not at all, its folder too. Raises Invalid."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(f"{text}\n", "utf-8")
        part.replace(path)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error}") from error


def _write(path: Path, calibration: Calibration) -> None:
    write_whole(path, calibration.model_dump_json(indent=1))
    told = f"{path.resolve()} is written. CUPIDSSHIELD_CALIBRATION={path.resolve()} uses it from the next start on; "
    err.print(
        f"{told}without that setting the model's own is used again.", markup=False, highlight=False, soft_wrap=True
    )


def _apart(found: Gathered) -> dict[str, dict[str, int]]:
    return {"left_out": found.left_out, "unseen": {kind.value: number for kind, number in found.unseen.items()}}


def _show(made: CalibrationReport, found: Gathered, model: ModelRef) -> None:
    left_out = "".join(f"; {number} left out: {why}" for why, number in found.left_out.items())
    _say(
        f"{made.outcomes} outcomes of {model.name}, {made.violations} of them violations, standing for "
        f"{made.stands_for:.0f} cases under {made.policy_sets} policy set(s){left_out}."
    )
    for kind, number in found.unseen.items():
        _say(f"No person has looked at a sample of the {number} cases {kind} alone: nothing below speaks of them.")
    out.print(_reliability(made), _standing(made), _choices(made))
    _say(
        f"“error below” holds with {percent(made.level)} confidence for each line by itself, in finite samples, by the "
        "outcomes in brackets: Clopper–Pearson, or Hoeffding–Bentkus where outcomes weigh differently; thresholds by "
        "fixed-sequence testing from strict to lax (Learn then Test). “none”: no threshold is shown to keep the "
        "budget, and at least so many more outcomes, all of them right, are needed to show one (rule of three). "
        "Refitted figures are of outcomes that the refit had not seen (five parts): close for the calibration fitted "
        "on all of them, not exact."
    )


def _reliability(made: CalibrationReport) -> Table:
    table = Table("how true probabilities are", "in use", "refitted", title="Reliability (95 % intervals, bootstrap)")
    for measured in made.reliability:
        table.add_row(*cells(measured.name, _estimate(measured.before), _estimate(measured.after)))
    return table


def _standing(made: CalibrationReport) -> Table:
    table = Table("side", "limit", "calibration", "alone", "error", "error below", "", title="Thresholds in force")
    for line in made.standing:
        verdict = f"within {line.budget:.1%}" if line.holds else f"not shown to be within {line.budget:.1%}"
        error = f"{line.error:.1%}" if line.outcomes else None
        figures = (f"{line.automation:.0%}", error, f"{line.bound:.1%} ({line.outcomes})")
        table.add_row(*cells(line.side, f"{line.limit:g}", line.which, *figures, verdict))
    return table


def _choices(made: CalibrationReport) -> Table:
    table = Table("side", "budget", "calibration", "threshold", "alone", "error below", "method", title="Budgets")
    for choice in made.choices:
        limit = choice.limit
        budget = f"{limit.budget:.1%}{' ←' if choice.wanted else ''}"
        if limit.threshold is None:
            missing = f"{limit.missing:,} more ({limit.outcomes})"
            table.add_row(*cells(choice.side, budget, choice.which, "none", None, missing, limit.method))
            continue
        bound = f"{limit.bound:.1%} ({limit.outcomes})"
        shown = (f"{limit.threshold:g}", f"{limit.automation:.0%}", bound, limit.method)
        table.add_row(*cells(choice.side, budget, choice.which, *shown))
    return table


def _estimate(of: Estimate) -> str:
    return f"{of.value:.3f} ({of.low:.3f}–{of.high:.3f})"


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False)
