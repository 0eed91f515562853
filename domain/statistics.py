"""What leads are told of the work: counts over a window of time, without content and without authors.

Shares are kept as counts, so that whoever shows one can say how little it rests on.
"""

from datetime import timedelta

from pydantic import AwareDatetime, Field

from domain.base import Frozen
from domain.estimates import Share
from domain.exposure import Seen
from domain.vocabulary import Policy, Route, Severity


class Window(Frozen):
    """From `since` to just before `until`."""

    since: AwareDatetime
    until: AwareDatetime

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    @property
    def before(self) -> "Window":
        """The window of the same length that ended when this one began."""
        return Window(since=self.since - self.length, until=self.since)


class Volume(Frozen):
    """Cases of one hour (`2026-01-31 13`) or day (`2026-01-31`), UTC, and how many of them went to people."""

    at: str
    cases: int
    to_people: int


class Outcomes(Frozen):
    """How cases stand now, under one policy; None: without a violation, as far as is known."""

    policy: Policy | None
    approved: int = 0
    rejected: int = 0
    escalated: int = 0


class Agreement(Frozen):
    """What people made of what the machine proposed under one policy; None: it found nothing wrong.

    `confirmed`: rejected under this policy, or approved where nothing was found. `otherwise`: rejected, but under
    another policy. The rest was approved.
    """

    policy: Policy | None
    decided: int
    confirmed: int
    otherwise: int

    @property
    def share(self) -> Share:
        return Share(hits=self.confirmed, of=self.decided)


class Reversals(Frozen):
    """First decisions of one reviewer under one policy that did not stand: taken back by themselves in time, or later
    decided differently by anybody (`changed`)."""

    reviewer: str
    policy: Policy | None
    decided: int
    undone: int
    changed: int


class Overturns(Frozen):
    """What became of the appeals against decisions of one reviewer (or the machine) under one policy."""

    reviewer: str
    policy: Policy | None
    decided: int
    overturned: int


class Speed(Frozen):
    """How soon people decided what went one route, None: any. Seconds from the arrival, nearest rank."""

    route: Route | None
    decided: int
    in_time: int
    median_s: float
    p90_s: float


class Waiting(Frozen):
    """What is open on one route now."""

    route: Route
    open: int
    overdue: int
    oldest_at: AwareDatetime


class Appeals(Frozen):
    """Appeals of a window: filed in it, and resolved in it; and those that are open now."""

    filed: int = 0
    resolved: int = 0
    overturned: int = 0
    in_time: int = 0
    open: int = 0
    overdue: int = 0


class Bin(Frozen):
    """Decided cases whose confidence was from `low` up to `high`: their mean confidence, and how many were right."""

    low: float
    high: float
    told: float
    right: Share


class Load(Frozen):
    """What one person looked at within a window, by severity."""

    staff_id: str
    name: str
    by_severity: dict[Severity, Seen] = Field(default_factory=dict)

    @property
    def hours(self) -> float:
        return sum(seen.seconds for seen in self.by_severity.values()) / 3600


class Pairs(Frozen):
    """So many cases that `first` decided and `second` decided again, blind, with these answers: `approved`, or the
    policy under which it was rejected."""

    first: str
    second: str
    answers: tuple[str, str]
    number: int


class Headline(Frozen):
    """The few numbers that a week is judged by."""

    cases: int
    escalated: Share
    agreed: Share
    in_time: Share
    overturned: Share
    reversed: Share
    p90_s: float | None


class Alarm(Frozen):
    """A limit of the policies that is crossed now: what, and what to look at."""

    event: str
    subject: str
    body: str
