"""`cupidsshield policies`: read and check the guidelines."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cupidsshield.cli.output import Output, OutputOption, out, print_json
from cupidsshield.settings import read_settings
from domain.vocabulary import Policy, Severity
from policies.loader import check, load

app = typer.Typer(no_args_is_help=True, help="Read and check the guidelines.")

Folder = Annotated[Path | None, typer.Argument(help="Folder of policy files; the ones in force if left out.")]


@app.command("check")
def check_files(folder: Folder = None, output: OutputOption = Output.TABLE) -> None:
    """Check policy files: every problem with file, line and what was expected. Exit code 1 if there are any."""
    problems = check(folder or read_settings().policies_dir)
    for problem in problems:
        if output is Output.JSON:
            print_json(problem.model_dump(mode="json"))
        else:
            out.print(Text(str(problem), style="red"), soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    if output is Output.TABLE:
        out.print("[green]all policy files are sound[/]")


@app.command("list")
def list_policies(output: OutputOption = Output.TABLE) -> None:
    """List the guidelines in force with their ladders."""
    settings = read_settings()
    loaded = load(settings.policies_dir, settings.opinion_weights)
    guidelines = [loaded.guideline(policy) for policy in Policy]
    if output is Output.JSON:
        for guideline in guidelines:
            print_json(guideline.model_dump(mode="json"))
        return
    table = Table("policy", "version", *Severity, "goes to", title=f"policy set {loaded.set_hash}")
    for guideline in guidelines:
        steps = [action for _, action in guideline.ladder.rungs()]
        fixed = guideline.fixed_route
        where = f"{fixed.route} ({', '.join(fixed.severities)})" if fixed else "moderator"
        table.add_row(guideline.name, guideline.version, *steps, where)
    out.print(table)
