"""Other moderation on the same texts: libraries that are installed, and services whose key is in the environment."""

import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from domain.errors import Invalid, ToolUnavailable
from evals.context import Context
from evals.corpus import rows
from evals.estimate import Measure, cell, estimate
from evals.figures import Bools, Floats, auc, average_precision
from evals.held_out import why_not
from evals.judging import Text, judge
from evals.peers import Opinions, Peer, at_hand
from evals.public import sample
from evals.readings import FLAGGED_FROM, share_cell, sources
from evals.report import Figure, Report, Table
from evals.suites.public import FURTHER, choose

Statistic = Callable[[Bools, Floats], float]
OWN, US = "own test part", "CupidsShield"
SUITES_OF_TESTS = ("hatecheck", "hatemoji")
MOST = 1_500
"""Texts of one set: services answer about one text a second."""

WHAT = (
    "The same texts read by {peers} and by CupidsShield: our own test part without borderline rows, and public sets "
    "that our training does not read, at most {most:,} texts of each. AUC and AUPRC ask only for the order of the "
    "scores, so no cut favours anybody. alt-profanity-check was trained on the Jigsaw comments and the Davidson "
    "tweets, which flatters it on what comes from there; what the services were trained on is not known. Intervals: "
    "bootstrap over scenarios or templates where they are known, and else over texts; of a lead, on the same resamples."
)


async def run(context: Context) -> Report:
    """Ask every peer at hand about every set at hand. Raises Invalid without a peer or without our own rows."""
    peers, missing = at_hand(os.environ)
    if not peers:
        raise Invalid("; ".join(f"{name} is {how}" for name, how in missing))
    chosen, left_out = _texts(context)
    opinions = {US: await _ours(chosen, context)}
    for peer in peers:
        try:
            opinions[peer.name] = {
                title: await peer.read([t.text for t in of], title=title) for title, of in chosen.items()
            }
        except ToolUnavailable as error:
            missing.append((peer.name, str(error)))
    asked = [peer for peer in peers if peer.name in opinions]
    return Report(
        suite="peers",
        title="Beside other moderation",
        what=WHAT.format(peers=", ".join(peer.name for peer in asked) or "nobody else", most=MOST),
        figures=tuple(figure for title, of in chosen.items() for figure in _figures(title, of, opinions)),
        tables=(
            _ranks("AUC, any violation", auc, chosen, opinions),
            _ranks("AUPRC, any violation", average_precision, chosen, opinions),
            _flags(chosen, opinions, asked),
            Table("Left out", ("what", "why"), (*missing, *left_out)),
        ),
        model=context.named,
        sources=(
            "our own corpus, the writers of the test part",
            *sources(*(title.partition(",")[0] for title in chosen if title != OWN)),
        ),
    )


def _texts(context: Context) -> tuple[dict[str, list[Text]], list[tuple[str, str]]]:
    """The texts by set, and of the sets that cannot be measured on the name and why."""
    own = [row for row in rows(context.corpus, "test") if not row.borderline]
    found = {OWN: sample(own, min(MOST, context.limit or MOST))}
    left_out: list[tuple[str, str]] = []
    for name in (*SUITES_OF_TESTS, *FURTHER):
        if why := why_not(name, context.datasets):
            left_out.append((name, why))
        else:
            title, of = list(choose(name, context, MOST).items())[-1]
            found[title] = of
    return found, left_out


async def _ours(chosen: Mapping[str, Sequence[Text]], context: Context) -> dict[str, Opinions]:
    found = {}
    for title, of in chosen.items():
        judged = await judge(of, context.screener, context.policies, title=f"{title} {US}")
        scores = np.array([row.violation for row in judged], dtype=np.float64)
        found[title] = Opinions(scores, scores >= FLAGGED_FROM)
    return found


def _violates(of: Sequence[Text]) -> Bools:
    return np.array([text.violates for text in of], dtype=bool)


def _groups(of: Sequence[Text]) -> list[str]:
    return [text.group for text in of]


def _figures(title: str, of: Sequence[Text], opinions: Mapping[str, Mapping[str, Opinions]]) -> list[Figure]:
    """Our AUC, and how far it is ahead of the best peer's."""
    violates, groups = _violates(of), _groups(of)
    everything = np.arange(len(of))
    ours = _measure(auc, violates, opinions[US][title].scores)
    figures = [estimate(f"{title}: AUC, {US}", ours, groups)]
    peers = {name: _measure(auc, violates, read[title].scores) for name, read in opinions.items() if name != US}
    if peers:
        best = max(peers, key=lambda name: np.nan_to_num(peers[name](everything)))
        lead = estimate(
            f"{title}: lead over the best peer in AUC",
            lambda p: ours(p) - peers[best](p),
            groups,
            bar=f"best peer: {best}",
        )
        figures.append(lead)
    return figures


def _measure(statistic: Statistic, violates: Bools, scores: Floats) -> Measure:
    return lambda picked: statistic(violates[picked], scores[picked])


def _ranks(
    name: str,
    statistic: Statistic,
    chosen: Mapping[str, Sequence[Text]],
    opinions: Mapping[str, Mapping[str, Opinions]],
) -> Table:
    lines = []
    for title, of in chosen.items():
        violates = _violates(of)
        cells = (cell(_measure(statistic, violates, read[title].scores), _groups(of)) for read in opinions.values())
        lines.append((title, f"{len(of):,}", f"{violates.mean():.0%}", *cells))
    return Table(name, ("set", "texts", "violating", *opinions), tuple(lines))


def _flags(
    chosen: Mapping[str, Sequence[Text]], opinions: Mapping[str, Mapping[str, Opinions]], peers: Sequence[Peer]
) -> Table:
    """What each flags by its own cut."""
    cuts = {US: f"probability from {FLAGGED_FROM}", **{peer.name: peer.cut for peer in peers}}
    lines = []
    for title, of in chosen.items():
        violates, groups = _violates(of), _groups(of)
        for name, read in opinions.items():
            flagged = read[title].flagged
            shares = (share_cell(flagged, violates, groups), share_cell(flagged, ~violates, groups))
            lines.append((title, name, cuts[name], *shares))
    return Table("Flagged, by the cut of each", ("set", "by", "cut", "recall", "clean, but flagged"), tuple(lines))
