"""The suites by name. Each is a module with `async def run(context) -> Report`, imported when it is run; a dash in
its name is an underscore there.

A suite whose data or packages are not at hand raises Invalid, which says where to get them.
"""

import importlib
from collections.abc import Awaitable, Callable
from functools import partial

from domain.errors import Invalid
from evals.context import Context
from evals.report import Report

Suite = Callable[[Context], Awaitable[Report]]
NAMES = (
    "own",
    "routing",
    "calibration",
    "hatecheck",
    "hatemoji",
    "multilingual",
    "bias",
    "benign",
    "injection",
    "reasoning",
    "local-model",
    "cost",
    "obfuscation",
    "public",
    "peers",
    "speed",
)


async def _run(name: str, context: Context) -> Report:
    try:
        module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    except ModuleNotFoundError as error:
        raise Invalid(
            f"the suite '{name}' needs {error.name}, which is not installed: pip install -e '.[test]'"
        ) from error
    report: Report = await module.run(context)
    return report


SUITES: dict[str, Suite] = {name: partial(_run, name) for name in NAMES}
