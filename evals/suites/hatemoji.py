"""HatemojiCheck: what screening makes of hate that is said with emoji."""

from evals.context import Context
from evals.functional import measure
from evals.report import Report

WHAT = (
    "HatemojiCheck: seven functional tests of hate said with emoji, each with contrasting cases that are not hateful."
)


async def run(context: Context) -> Report:
    """Judge HatemojiCheck. Raises Invalid where it is not at hand."""
    return await measure(context, "hatemoji", title="HatemojiCheck", what=WHAT)
