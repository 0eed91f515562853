"""`cupidsshield calibrate-agents`: what people decided, turned into what language models' opinions weigh."""

from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from cupidsshield import opinions, outcomes
from cupidsshield.cli.calibrate import AppOption, SinceOption, free_place, on_database, write_whole
from cupidsshield.cli.output import Output, OutputOption, cells, err, out, print_json
from cupidsshield.opinions import Gathered, Refit
from cupidsshield.settings import read_settings
from data.database import Database
from domain.errors import Invalid
from domain.opinion import LEAST_CERTAIN, Reading
from policies.consulting import AgentRules
from policies.loader import load

WEIGHTS = "opinions.json"

WriteOption = Annotated[
    Path | None, typer.Option("--write", help="Write the fitted opinions.json into this folder, beside a calibration.")
]


def calibrate_agents(
    app: AppOption = None,
    since: SinceOption = None,
    write: WriteOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Fit what opinions of language models weigh on what people decided. Changes nothing unless --write is given."""
    settings = read_settings()
    rules = load(settings.policies_dir).thresholds.agents
    target = free_place(write, WEIGHTS) if write else None
    moment = since.replace(tzinfo=UTC) if since else None

    async def work(database: Database) -> Gathered:
        return await opinions.gather(database, await outcomes.apps_named(database, app), moment)

    gathered = on_database(settings, work)
    try:
        made = opinions.refits(gathered, rules)
    except Invalid as error:
        left_out = f"; {gathered.unreadable} were left out: {outcomes.UNREADABLE}" if gathered.unreadable else ""
        raise Invalid(f"{error}{left_out}") from error
    if output is Output.JSON:
        print_json([_plain(one) for one in made])
    else:
        _show(made, gathered, rules)
    if target:
        written = opinions.fitted(made)
        write_whole(target, written.model_dump_json(indent=1))
        told = f"{target.resolve()} is written as {written.version}. CUPIDSSHIELD_OPINION_WEIGHTS={target.resolve()} "
        err.print(
            f"{told}uses it from the next start on; without that setting the weights of the policies are used again.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _plain(made: Refit) -> dict[str, object]:
    return {
        "model": made.fit.model,
        "outcomes": made.outcomes,
        "violations": made.violations,
        "samples": made.samples,
        "lean": made.fit.lean,
        "bounded": made.fit.bounded,
        "helps": made.helps,
        "judges": [judge.model_dump(mode="json") for judge in made.fit.judges],
        "reliability": [asdict(measure) for measure in made.reliability],
    }


def _show(made: tuple[Refit, ...], gathered: Gathered, rules: AgentRules) -> None:
    for one in made:
        _say(
            f"{one.outcomes} opinions of {one.fit.model} in cases that people decided, {one.violations} of them on "
            f"violations, {one.samples} from samples of what the machine had decided alone. Before any model spoke, "
            f"screening was off by {one.fit.lean:+.2f} in log-odds among them; that is taken out here, and is for "
            "'cupidsshield calibrate'."
        )
        out.print(_weights(one, rules), _judges(one), _reliability(one))
        if one.fit.bounded:
            _say(
                f"People have seen fewer than {rules.fitting.fewest_samples} opinions in samples of what the machine "
                "decided alone, so these outcomes are mostly what stayed in doubt: no weight rises above the one set "
                "by hand. Have people decide a sample of what was approved and rejected alone."
            )
        if not one.helps:
            _say("Held out, these weights tell no more than those set by hand: they are not written.")
    for kind, number in gathered.unseen.items():
        _say(f"No person has looked at a sample of the {number} cases {kind} alone: nothing above speaks of them.")
    if gathered.unreadable:
        _say(f"{gathered.unreadable} opinions were left out: {outcomes.UNREADABLE}.")
    _say(
        "Weights are log-odds that an opinion adds beside where the text stood before it. People read opinions before "
        "they decide, and may follow them; what a second, blind reader decides is free of that."
    )


def _weights(made: Refit, rules: AgentRules) -> Table:
    table = Table(
        "reading", "certainty", "opinions", "by hand", "fitted", title=f"{made.fit.model}: all prompts pooled"
    )
    for reading in (Reading.VIOLATES, Reading.FINE):
        pairs = zip(getattr(rules.weights, reading), getattr(made.fit.pooled, reading), strict=True)
        for certainty, (by_hand, pooled) in enumerate(pairs, start=LEAST_CERTAIN):
            number = made.said.get((reading, certainty), 0)
            table.add_row(*cells(reading, certainty, number, f"{by_hand:.2f}", f"{pooled:.2f}"))
    return table


def _judges(made: Refit) -> Table:
    table = Table(
        "specialist", Column("prompt", no_wrap=True), "opinions", "violates", "fine", title="Weights of each prompt"
    )
    for judge in made.fit.judges:
        sides = (" ".join(f"{weight:.2f}" for weight in side) for side in (judge.weights.violates, judge.weights.fine))
        table.add_row(*cells(judge.specialist, judge.prompt, judge.outcomes, *sides))
    return table


def _reliability(made: Refit) -> Table:
    table = Table("how true probabilities are", "by hand", "fitted", title="Held out (95 % intervals, bootstrap)")
    for measure in made.reliability:
        told = (f"{of.value:.3f} ({of.low:.3f}–{of.high:.3f})" for of in (measure.before, measure.after))
        table.add_row(*cells(measure.name, *told))
    return table


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False)
