"""HateCheck: what screening makes of each kind of hate, and of what only looks like it."""

from evals.context import Context
from evals.functional import measure
from evals.report import Report

WHAT = (
    "HateCheck: 29 functional tests of hate-speech detection, hateful and not, from slurs and threats to reclaimed "
    "slurs, negated hate and counter-speech. Its cases are made from templates, and so are some of the texts that the "
    "model learnt from (data/corpus/frames), which are our own."
)


async def run(context: Context) -> Report:
    """Judge HateCheck. Raises Invalid where it is not at hand."""
    return await measure(context, "hatecheck", title="HateCheck", what=WHAT)
