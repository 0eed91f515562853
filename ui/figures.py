"""Tables and lines about what was posted, what the machine made of it and what became of it; and all tables by name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from data.statistics import appeals, cases, decisions
from data.statistics.headline import headline
from domain.estimates import Share
from domain.statistics import Headline, Volume, Window
from ui import figures_people as people
from ui.asked import Asked, Span
from ui.pages import percent
from ui.sheets import Cell, Sheet, count, policy_cell, share, span, text


@dataclass(frozen=True)
class Tile:
    """One number of a headline, and what it was in the window before. `change` is None where either says nothing."""

    title: str
    shown: str
    note: str
    before: str


def tiles(session: Session, asked: Asked) -> tuple[Tile, ...]:
    """The numbers that a week is judged by, beside those of the week before."""
    now = headline(session, app_ids=asked.app_ids, window=asked.window)
    was = headline(session, app_ids=asked.app_ids, window=asked.window.before)
    shares: tuple[tuple[str, Callable[[Headline], Share], str], ...] = (
        ("Went to people", lambda h: h.escalated, "of all cases"),
        ("People agreed with the machine", lambda h: h.agreed, "of what they decided"),
        ("Decided in time", lambda h: h.in_time, "of what people decided"),
        ("Did not stand", lambda h: h.reversed, "undone, or decided differently later"),
        ("Appeals overturned", lambda h: h.overturned, "of those resolved"),
    )
    found = [Tile("Cases", f"{now.cases:,}", "submitted", f"{was.cases:,}")]
    for title, read, note in shares:
        cells = [share(read(one), asked.fewest) for one in (now, was)]
        notes = (f"{note}; {cells[0].note}" if cells[0].note else note, cells[1].shown)
        found.append(Tile(title, cells[0].shown, *notes))
    slow = (span(now.p90_s), span(was.p90_s))
    return (*found, Tile("Nine of ten decided within", slow[0], "of arriving", slow[1]))


def volume(session: Session, asked: Asked) -> Sheet:
    """Cases over time, and how many of them went to people."""
    hourly = asked.span is Span.DAY
    found = cases.volume(session, app_ids=asked.app_ids, window=asked.window, hourly=hourly)
    whole = tuple(_without_gaps(found, asked.window, hourly=hourly))
    rows = [
        (text(v.at, v.at + (":00" if hourly else "")), count(v.cases), count(v.to_people), share(_of(v), asked.fewest))
        for v in reversed(whole)
    ]
    return Sheet(
        name="volume",
        title="Cases and what went to people",
        about=f"By {'hour' if hourly else 'day'}, UTC.",
        columns=("Hour" if hourly else "Day", "Cases", "To people", "Share"),
        rows=rows if found else (),
        chart={
            "kind": "volume",
            "hourly": hourly,
            "x": [_moment(v.at).timestamp() for v in whole],
            "series": [
                {"name": "cases", "values": [v.cases for v in whole]},
                {"name": "to people", "values": [v.to_people for v in whole]},
            ],
        },
    )


def outcomes(session: Session, asked: Asked) -> Sheet:
    """How cases stand, by policy."""
    found = cases.outcomes(session, app_ids=asked.app_ids, window=asked.window)
    rows = [
        (policy_cell(o.policy, "no violation"), count(o.approved), count(o.rejected), count(o.escalated))
        for o in sorted(found, key=lambda o: -(o.rejected + o.escalated))
    ]
    return Sheet(
        name="decisions",
        title="Decisions by policy",
        about="Cases of this window as they stand now. Escalated ones wait for people.",
        columns=("Policy", "Approved", "Rejected", "Escalated"),
        rows=rows,
    )


def agreement(session: Session, asked: Asked) -> Sheet:
    """What people made of what the machine proposed."""
    found = decisions.agreement(session, app_ids=asked.app_ids, window=asked.window)
    rows = [
        (
            policy_cell(a.policy, "no violation"),
            count(a.decided),
            share(a.share, asked.fewest),
            count(a.otherwise),
            count(a.decided - a.confirmed - a.otherwise),
        )
        for a in found
    ]
    return Sheet(
        name="agreement",
        title="Machine and people",
        about="People's decisions, by the policy that the machine proposed. Confirmed: they came to the same. People "
        "see mostly what the machine was unsure of, so this is no measure of all that it decides.",
        columns=("The machine proposed", "Decided", "Confirmed", "Another policy", "Approved instead"),
        rows=rows,
    )


def appeal_numbers(session: Session, asked: Asked) -> Sheet:
    """Appeals of the window."""
    a = appeals.appeals(session, app_ids=asked.app_ids, window=asked.window, at=asked.at)
    rows: list[tuple[Cell, Cell]] = [
        (text("Filed in this window"), count(a.filed)),
        (text("Resolved in this window"), count(a.resolved)),
        (text("of these in time"), share(Share(hits=a.in_time, of=a.resolved), asked.fewest)),
        (text("of these overturned"), share(Share(hits=a.overturned, of=a.resolved), asked.fewest)),
        (text("Open now"), count(a.open)),
        (text("of these overdue"), count(a.overdue, alarming=a.overdue > 0)),
    ]
    return Sheet(
        name="appeals",
        title="Appeals",
        about="In time is by the deadline that an appeal had when it was resolved.",
        columns=("What", "How many"),
        rows=rows if a.filed or a.resolved or a.open else (),
        empty="No appeals in this window.",
    )


def calibration(session: Session, asked: Asked) -> Sheet:
    """Whether confidences are true, where people decided."""
    found = decisions.calibration(session, app_ids=asked.app_ids, window=asked.window)
    rows = [
        (
            text(f"{b.low:.1f}–{b.high:.1f}", f"{percent(b.low)} to {percent(b.high)}"),
            count(b.right.of),
            Cell(percent(b.told), round(b.told, 4)),
            share(b.right, asked.fewest),
        )
        for b in found
    ]
    shown = [b for b in found if b.right.of >= asked.fewest]
    return Sheet(
        name="calibration",
        title="Is the machine as sure as it should be?",
        about="Decisions of people, by the confidence that the machine had in its verdict. On the diagonal it is as "
        "often right as it says; the bars are 95 % intervals (Wilson).",
        columns=("Confidence", "Decided", "Mean", "Right"),
        rows=rows,
        chart={
            "kind": "calibration",
            "x": [round(b.told, 4) for b in shown],
            "series": [
                {"name": "right", "values": [round(b.right.value or 0.0, 4) for b in shown]},
                {"name": "from", "values": [round(b.right.interval[0], 4) for b in shown]},
                {"name": "to", "values": [round(b.right.interval[1], 4) for b in shown]},
            ],
        }
        if shown
        else None,
    )


ONE: Mapping[str, Callable[[Session, Asked], Sheet]] = {
    "volume": volume,
    "calibration": calibration,
    "queue": people.queue,
    "speed": people.speed,
    "decisions": outcomes,
    "agreement": agreement,
    "appeals": appeal_numbers,
    "load": people.load,
}
TWO: Mapping[str, Callable[[Session, Asked], tuple[Sheet, Sheet]]] = {
    "reversals": people.reversals,
    "overturns": people.overturns,
}
NAMES: Collection[str] = (*ONE, *(f"{name}{end}" for name in TWO for end in ("", "-by-reviewer")))


def sheet(session: Session, asked: Asked, name: str) -> Sheet | None:
    """One table by its name, None where there is none of that name."""
    if name in ONE:
        return ONE[name](session, asked)
    if name in NAMES:
        both = TWO[name.removesuffix("-by-reviewer")](session, asked)
        return both[1] if name.endswith("-by-reviewer") else both[0]
    return None


def sheets(session: Session, asked: Asked) -> Sequence[Sheet]:
    """All tables, in the order in which they are read."""
    singles = [make(session, asked) for name, make in ONE.items() if name != "load"]
    pairs = [one for make in TWO.values() for one in make(session, asked)]
    return (*singles, *pairs, people.load(session, asked))


def _of(volume: Volume) -> Share:
    return Share(hits=volume.to_people, of=volume.cases)


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at + (":00" if " " in at else "")).replace(tzinfo=UTC)


def _without_gaps(found: Sequence[Volume], window: Window, *, hourly: bool) -> Sequence[Volume]:
    """One for each hour or day of a window, also for those in which nothing came."""
    form, step = ("%Y-%m-%d %H", timedelta(hours=1)) if hourly else ("%Y-%m-%d", timedelta(days=1))
    known, whole, at = {v.at: v for v in found}, [], window.since.astimezone(UTC)
    last = window.until.astimezone(UTC).strftime(form)
    while (name := at.strftime(form)) <= last:
        whole.append(known.get(name, Volume(at=name, cases=0, to_people=0)))
        at += step
    return whole
