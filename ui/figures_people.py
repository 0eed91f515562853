"""Tables about people's work: whether what they decide stands, how soon they decide, and what they look at."""

from collections.abc import Callable, Mapping

from sqlmodel import Session

from data.statistics import appeals, decisions, work
from domain.case import MACHINE
from domain.estimates import NOTHING, Share
from domain.statistics import Overturns, Reversals
from domain.vocabulary import Severity
from policies.alarms import crosses
from ui.asked import Asked
from ui.pages import percent, words
from ui.sheets import Cell, Sheet, count, duration, policy_cell, share, text


def speed(session: Session, asked: Asked) -> Sheet:
    """How soon people decided, against the deadlines."""
    found = decisions.speed(session, app_ids=asked.app_ids, window=asked.window)
    rows = [
        (
            text(s.route, words(s.route) if s.route else "any"),
            count(s.decided),
            share(Share(hits=s.in_time, of=s.decided), asked.fewest),
            duration(s.median_s),
            duration(s.p90_s),
        )
        for s in found
    ]
    return Sheet(
        name="speed",
        title="Time to a decision",
        about="From arriving in the queue to a person's decision; in seconds in the file.",
        columns=("Route", "Decided", "In time", "Half within", "Nine of ten within"),
        rows=rows,
    )


def queue(session: Session, asked: Asked) -> Sheet:
    """What waits now."""
    found = work.waiting(session, app_ids=asked.app_ids)
    rows = [
        (
            text(w.route),
            count(w.open),
            count(w.overdue, alarming=w.overdue > 0),
            duration((asked.at - w.oldest_at).total_seconds()),
        )
        for w in found
    ]
    return Sheet(
        name="queue",
        title="The queue now",
        about="Open items, whoever holds them.",
        columns=("Route", "Open", "Overdue", "Oldest waits"),
        rows=rows,
        empty="Nothing waits: the queue is empty.",
    )


def reversals(session: Session, asked: Asked) -> tuple[Sheet, Sheet]:
    """What did not stand: by policy, and by reviewer."""
    found = decisions.reversals(session, app_ids=asked.app_ids, window=asked.window)
    names = work.names_of(session, staff_ids={r.reviewer for r in found})
    about = (
        "First decisions of this window. Undone: taken back in time by whoever made it. Changed: decided differently "
    )
    about += "later by a person."
    columns = ("Decided", "Undone", "Changed", "Did not stand")

    def rows(key: Callable[[Reversals], Cell]) -> list[tuple[Cell, ...]]:
        grouped: dict[Cell, tuple[int, int, int]] = {}
        for one in found:
            decided, undone, changed = grouped.get(key(one), (0, 0, 0))
            grouped[key(one)] = (decided + one.decided, undone + one.undone, changed + one.changed)
        return [
            (name, count(d), count(u), count(c), share(Share(hits=u + c, of=d), asked.fewest))
            for name, (d, u, c) in sorted(grouped.items(), key=lambda item: (-item[1][0], item[0].shown))
        ]

    by_policy = rows(lambda r: policy_cell(r.policy, "no violation"))
    by_reviewer = rows(lambda r: _who(r.reviewer, names))
    return (
        Sheet("reversals", "Decisions that did not stand, by policy", about, ("Policy", *columns), by_policy),
        Sheet(
            "reversals-by-reviewer", "Decisions that did not stand, by reviewer", about, ("Who", *columns), by_reviewer
        ),
    )


def overturns(session: Session, asked: Asked) -> tuple[Sheet, Sheet]:
    """What appeals made of decisions: by policy, and by who had decided."""
    found = appeals.overturns(session, app_ids=asked.app_ids, window=asked.window)
    names = work.names_of(session, staff_ids={o.reviewer for o in found})
    limit = percent(asked.quality.overturned_share_above)
    about = f"Appeals resolved in this window. Above {limit}, from {asked.fewest} on, leads are alerted."

    def rows(key: Callable[[Overturns], Cell]) -> list[tuple[Cell, ...]]:
        grouped: dict[Cell, Share] = {}
        for one in found:
            grouped[key(one)] = grouped.get(key(one), NOTHING) + Share(hits=one.overturned, of=one.decided)
        return [
            (name, count(s.of), count(s.hits), share(s, asked.fewest, alarming=crosses(s, asked.quality)))
            for name, s in sorted(grouped.items(), key=lambda item: (-item[1].of, item[0].shown))
        ]

    columns, empty = ("Appeals", "Overturned", "Share"), "No appeals were resolved in this window."
    by_policy, by_who = rows(lambda o: policy_cell(o.policy, "none")), rows(lambda o: _who(o.reviewer, names))
    return (
        Sheet("overturns", "Overturned by appeals, by policy", about, ("Policy", *columns), by_policy, empty),
        Sheet(
            "overturns-by-reviewer", "Overturned by appeals, by who decided", about, ("Who", *columns), by_who, empty
        ),
    )


def load(session: Session, asked: Asked) -> Sheet:
    """What people looked at."""
    found = work.load(session, app_ids=asked.app_ids, known=asked.known, window=asked.window)
    rows = [
        (
            text(one.name),
            Cell(f"{one.hours:.1f} h", round(one.hours, 2)),
            *(_hours(one.by_severity[s].seconds if s in one.by_severity else 0.0) for s in Severity),
        )
        for one in found
    ]
    return Sheet(
        name="load",
        title="What people looked at",
        about="Hours by severity, on the days of this window: to share out what is hard, not to compare people. "
        "Whoever also works for an app that you do not see is left out.",
        columns=("Who", "All", *(words(s).capitalize() for s in Severity)),
        rows=rows,
        empty="Nobody has looked at anything in this window.",
    )


def _who(reviewer: str, names: Mapping[str, str]) -> Cell:
    name = "the machine" if reviewer == MACHINE else names.get(reviewer, reviewer)
    return Cell(name, name)


def _hours(seconds: float) -> Cell:
    return Cell(f"{seconds / 3600:.1f}", round(seconds / 3600, 2))
