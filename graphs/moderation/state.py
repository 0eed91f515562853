"""What flows through the moderation graph, and what its nodes are given to work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypedDict

from agents.panel import Panel
from domain.assessment import Assessment
from domain.case import Case
from domain.decision import Decision
from domain.opinion import Consultation, Need
from domain.progress import OnStep
from domain.queries import Prepared
from domain.signals import Screening
from domain.submission import Submission
from domain.tracing import SILENCE, Tracer
from graphs.moderation.turns import Turn
from mcp_servers.client import Toolbox
from mcp_servers.vector_search.answers import Recollection
from policies.model import PolicySet

Link = Callable[[str, str], str]
"""The address at which the user reads about a case, for its app and identifier."""


@dataclass(frozen=True)
class Services:
    """What nodes may use: the tools, the policies in force, the time, the links that users are sent, and language
    models where any are configured, with the seconds that one run may spend on them. `tracer` hears of all that is
    done; `turn` and `on_step` are the run's own."""

    tools: Toolbox
    policies: PolicySet
    clock: Callable[[], datetime]
    link: Link
    panel: Panel | None = None
    asking_s: float = 10.0
    tracer: Tracer = SILENCE
    turn: Turn | None = None
    on_step: OnStep | None = None


def _merged(old: dict[str, float], new: dict[str, float]) -> dict[str, float]:
    return {**old, **new}


class State(TypedDict, total=False):
    """One run. `app_id`, `case_id` and `waiting` alone survive in a checkpoint while people decide.

    `consultation` is what language models were asked, `gathered` the further evidence that was fetched for them,
    `earlier` what the author wrote before, `ask_until` when the time for it is up. `timings` are milliseconds by node;
    `unavailable` names servers that were needed and did not answer.
    """

    app_id: str
    case_id: str
    waiting: bool
    submission: Submission
    received_at: datetime
    prepared: Prepared
    screening: Screening | None
    recollection: Recollection | None
    unavailable: tuple[str, ...]
    consultation: Consultation | None
    gathered: frozenset[Need]
    earlier: tuple[str, ...]
    ask_until: datetime
    assessment: Assessment
    decision: Decision
    case: Case
    replayed: bool
    timings: Annotated[dict[str, float], _merged]
