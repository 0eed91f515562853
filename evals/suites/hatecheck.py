"""HateCheck: what screening makes of each kind of hate, and of what only looks like it."""

from evals.context import Context
from evals.functional import measure
from evals.report import Report

WHAT = (
    "HateCheck: 29 functional tests of hate-speech detection, hateful and not, from slurs and threats to reclaimed "
    "slurs, negated hate and counter-speech."
)


async def run(context: Context) -> Report:
    """Judge HateCheck. Raises Invalid where it is not at hand."""
    return await measure(context, "hatecheck", title="HateCheck", what=WHAT)
