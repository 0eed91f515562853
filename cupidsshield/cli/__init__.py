"""The command line: `cupidsshield …`."""

import sys
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from cupidsshield.cli.app import app
from domain.errors import CupidsShieldError


def main() -> None:
    """Run the command line; what is wrong is said in one line, with exit code 2."""
    try:
        app()
    except CupidsShieldError as error:
        _say(error)
    except BaseExceptionGroup as group:
        # What fails between opened MCP clients comes wrapped by their task groups.
        ours = group.subgroup(CupidsShieldError)
        if ours is None:
            raise
        _say(_first(ours))


def _first(group: BaseExceptionGroup[CupidsShieldError]) -> CupidsShieldError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _say(error: CupidsShieldError) -> NoReturn:
    Console(stderr=True).print(Text("cupidsshield:", style="bold red"), Text(str(error)), soft_wrap=True)
    sys.exit(2)
