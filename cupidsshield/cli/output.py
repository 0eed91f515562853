"""How commands print: tables for people, JSON for programs."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column
from rich.text import Text

from domain.vocabulary import DecisionKind

out = Console()
err = Console(stderr=True)


class Output(StrEnum):
    """`table` for people, `json` for programs."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]

_COLOURS = {DecisionKind.APPROVED: "green", DecisionKind.REJECTED: "red", DecisionKind.ESCALATED: "yellow"}


def coloured(decision: DecisionKind) -> Text:
    """A decision in its colour."""
    return Text(decision, style=f"bold {_COLOURS[decision]}")


def whole(header: str) -> Column:
    """A column that is never cut, however narrow the terminal: what stands in it is there to be copied."""
    return Column(header, no_wrap=True, min_width=36)


def cells(*values: object) -> list[Text]:
    """A row as it is, whatever it holds; – for what is not set."""
    return [Text("–" if value is None else str(value)) for value in values]


def print_json(value: Any) -> None:
    """One JSON value on one line, so that programs can read line by line."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))
