"""The command line: `cupidsshield …`."""

import sys

from rich.console import Console

from cupidsshield.cli.app import app
from domain.errors import CupidsShieldError


def main() -> None:
    """Run the command line; what is wrong is said in one line, with exit code 2."""
    try:
        app()
    except CupidsShieldError as error:
        Console(stderr=True).print(f"[bold red]cupidsshield:[/] {error}", highlight=False)
        sys.exit(2)
