"""Writes down how ways to judge a text compare: figures, tables, and which of them is kept by a fixed rule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.cascade import LOST, Stage, rate
from evals.estimate import Measure, estimate
from evals.figures import Bools, Floats, Rows, auc, recall_at
from evals.report import Figure, Report, Table, shown
from screening.ensemble import SHARES
from screening.ngrams import BITS, CHARACTERS, WORDS
from screening.training.sources import CLASSES, CLEAN, Example

FALSE_ALARMS = 0.01
NONE = CLASSES.index(CLEAN)
SLOWEST, LARGEST = 0.8, 90e6
"""What an ensemble may cost: so much of the tuned encoder's rate must be left, and all files together in bytes."""

KEPT, WORTH, SPARED = "kept", "worth adding", "shipped, and no longer worth it"
FASTER = 1.5
"""From how many times the rate a first stage pays for what texts that skip the encoder go without."""

AUC, RECALL = "AUC, any violation", "recall of clear violations at 1 % false alarms on hard clean rows"
LIKELIEST, SHARE = "macro-F1, likeliest class", "macro-F1, at the true share of violations"
MEASURES = (AUC, RECALL, LIKELIEST, SHARE)
SHORT = {AUC: "AUC", RECALL: "recall at 1 %", LIKELIEST: "macro-F1, likeliest", SHARE: "macro-F1, true share"}
DECIDING = (AUC, RECALL, SHARE)
"""What the verdicts ask for: the likeliest class hangs on how bold a reader is, which calibration settles."""

GRAMS, LAST, ALL, TUNED = "n-grams", "published, last layer", "published, all layers", "tuned encoder"
NEAR, STAGED = "neighbours", "n-grams first, then tuned"
TWO, THREE = "tuned + n-grams", "tuned + n-grams + neighbours"
SHIPPED = TWO
WITH_NEAR = (0.5, 0.3, 0.2)
"""What encoder, n-grams and neighbours count where the three speak together."""

MEANING = {
    GRAMS: f"linear softmax over hashed character {CHARACTERS[0]}- to {CHARACTERS[-1]}-grams and word {WORDS[0]}- to "
    f"{WORDS[-1]}-grams, 2^{BITS} buckets, on the same texts",
    LAST: "published e5-small (the eight kept layers, as published), linear head on the last layer's mean",
    ALL: "the same, linear head on the means of all layers",
    TUNED: "the shipped encoder by itself: the same encoder fine-tuned, linear head on the means of all layers",
    NEAR: "votes of the {neighbours} nearest training rows by the tuned encoder's memory vector",
    TWO: f"what ships, fitted anew: mean of the class logits of both, the encoder counting {SHARES[0]:g}",
    THREE: f"mean of the class logits of the three, counting {', '.join(map(str, WITH_NEAR))}",
    STAGED: "the tuned encoder reads only what n-grams are not sure is clean; the rest is called clean",
}
WHAT = (
    "{rows} texts of the calibration part ({clear} clear violations, {hard} hard clean rows), development data: "
    "nothing was fitted on them but the threshold of the first stage, which was chosen for each writer on the rows of "
    "the others. What the readers of an ensemble count, and the sizes of the n-grams, were chosen on these very rows: "
    "the gains flatter a little. "
    "Everything else was fitted on the training part's {own:,} rows{public} and on frames. The test part was not "
    "read. Scores are the readers' own, without rules and calibration; of a disguised text the worse of its two "
    "forms counts. Macro-F1 is over the nine policies, borderline rows left out, once with the likeliest class and "
    "once with as many rows called violations as there are. Rates: {timed} texts of about 20 tokens, {base_rate:.0%} "
    "of them violations, all at once on one thread, the median of {rounds} rounds in turns; the search for "
    "neighbours uses as many threads as numpy does. Shipped model: {model}. Intervals: 95 %, bootstrap over "
    "scenarios; of a gain, on the same resamples. Run by `python -m evals.contenders`."
)


@dataclass(frozen=True)
class Contender:
    """One way to judge a text: log-odds of the rows compared (N x 10), bytes on disk, texts a second by round."""

    name: str
    odds: Floats
    size: int
    rates: tuple[float, ...]

    @property
    def rate(self) -> float:
        return float(np.median(self.rates))


@dataclass(frozen=True)
class Compared:
    """The rows that everything is compared on."""

    examples: Sequence[Example]

    @property
    def violates(self) -> Bools:
        return np.array([e.violates for e in self.examples], dtype=bool)

    @property
    def clear(self) -> Bools:
        return np.array([e.violates and not e.borderline for e in self.examples], dtype=bool)

    @property
    def hard(self) -> Bools:
        """Clean and hard."""
        return np.array([e.hard and not e.violates for e in self.examples], dtype=bool)

    @property
    def scenarios(self) -> list[str]:
        return [e.scenario for e in self.examples]

    def measures(self, odds: Floats) -> Mapping[str, Measure]:
        """Each of MEASURES as a function of picked rows."""
        violates, clear, hard, violation = self.violates, self.clear, self.hard, odds[:, -1]
        sure = np.array([not e.borderline for e in self.examples], dtype=bool)
        policy = odds[:, :-1].argmax(axis=1)
        bold = odds[:, :-1].max(axis=1) > -violation
        labels = np.array([[name in e.labels for name in CLASSES] for e in self.examples], dtype=bool)

        def likeliest(picked: Rows) -> float:
            inside = picked[sure[picked]]
            return _macro_f1(labels[inside], np.where(bold[inside], policy[inside], NONE))

        def at_share(picked: Rows) -> float:
            inside = picked[sure[picked]]
            count = int(violates[inside].sum())
            level = -np.partition(np.append(-violation[inside], np.inf), count)[count]
            return _macro_f1(labels[inside], np.where(violation[inside] > level, policy[inside], NONE))

        return {
            AUC: lambda picked: auc(violates[picked], violation[picked]),
            RECALL: lambda picked: recall_at(clear[picked], violation[picked], hard[picked], FALSE_ALARMS),
            LIKELIEST: likeliest,
            SHARE: at_share,
        }


def _macro_f1(labels: Bools, said: Rows) -> float:
    """Mean F1 over the policies of labels N x 10 and what is said, N; right is either policy of a text that has two."""
    truth = np.where(labels[np.arange(len(said)), said], said, labels.argmax(axis=1))
    hits = np.bincount(said[said == truth], minlength=len(CLASSES))[:NONE]
    either = (np.bincount(said, minlength=len(CLASSES)) + np.bincount(truth, minlength=len(CLASSES)))[:NONE]
    return float((2 * hits[either > 0] / either[either > 0]).mean()) if either.any() else float("nan")


@dataclass(frozen=True)
class Found:
    """All that was measured: the contenders, the first stage, and in words what it rests on."""

    rows: Compared
    contenders: Sequence[Contender]
    stage: Stage
    own: int
    public: int
    neighbours: int
    timed: int
    rounds: int
    base_rate: float
    model: str
    left_out: Sequence[tuple[str, str]]

    def of(self, name: str) -> Contender:
        return next(contender for contender in self.contenders if contender.name == name)


def render(found: Found) -> Report:
    """The report. An ensemble is kept where it gains more than its interval over a reader less and costs little."""
    tuned = found.of(TUNED)
    values = {c.name: dict(_estimates(found.rows, c)) for c in found.contenders}
    gains = {c.name: dict(_gains(found.rows, c, tuned)) for c in found.contenders if c.name != TUNED}
    beyond = {THREE: dict(_gains(found.rows, found.of(THREE), found.of(TWO)))}
    rates = {c.name: _rates(c, tuned) for c in found.contenders}
    shares = dict(found.stage.shares())
    speed = {mix: rate(found.of(GRAMS).rate, tuned.rate, share.value) for mix, share in shares.items()}
    faster = {mix: value / tuned.rate for mix, value in speed.items()}
    caught, suspected = found.stage.lost()
    kept = [
        (name, *_of_shipped(name, *_judged(beyond.get(name, gains[name]), found.of(name), tuned)))
        for name in gains
        if name != STAGED
    ]
    kept.append((STAGED, *_staged(faster, caught, suspected)))
    added = ", ".join(name for name, verdict, _ in kept if verdict == WORTH)
    beside = f"with what else is kept beside it: {SHIPPED}" if (SHIPPED, KEPT) in {row[:2] for row in kept} else "alone"
    kept.insert(0, (TUNED, KEPT, f"{beside}; would gain by: {added}" if added else beside))
    public = f" and {found.public:,} public rows" if found.public else ""
    return Report(
        suite="contenders",
        title="Ways to judge a text, side by side",
        what=WHAT.format(
            rows=f"{len(found.rows.examples):,}",
            clear=int(found.rows.clear.sum()),
            hard=int(found.rows.hard.sum()),
            own=found.own,
            public=public,
            timed=found.timed,
            base_rate=found.base_rate,
            rounds=found.rounds,
            model=found.model,
        ),
        figures=(*_figures(values, gains, rates), *_all(beyond), *shares.values(), caught, suspected),
        tables=(
            _side_by_side(found, values, rates),
            _against("What each has over the tuned encoder", gains),
            _against("What three readers have over two", beyond),
            _first_stage(shares, speed, faster, caught, suspected),
            Table("What is kept, and why", ("way", "verdict", "why"), tuple(kept)),
            Table("The ways", ("way", "what it is"), tuple(_ways(found))),
            *((Table("Left out", ("what", "why"), tuple(found.left_out)),) if found.left_out else ()),
        ),
        sources=("our own corpus, the writers of the training and calibration parts (data/corpus/GUIDE.md)",),
    )


def _estimates(rows: Compared, contender: Contender) -> Iterator[tuple[str, Figure]]:
    for name, measure in rows.measures(contender.odds).items():
        yield name, estimate(f"{contender.name}: {name}", measure, rows.scenarios)


def _gains(rows: Compared, contender: Contender, other: Contender) -> Iterator[tuple[str, Figure]]:
    """What it has over another."""
    before = rows.measures(other.odds)
    for name, measure in rows.measures(contender.odds).items():

        def gain(picked: Rows, measure: Measure = measure, old: Measure = before[name]) -> float:
            return measure(picked) - old(picked)

        yield name, estimate(f"{contender.name}: gain over {other.name} in {name}", gain, rows.scenarios)


def _all(figures: Mapping[str, Mapping[str, Figure]]) -> Iterator[Figure]:
    for of in figures.values():
        yield from of.values()


def _rates(contender: Contender, tuned: Contender) -> tuple[Figure, Figure]:
    """Texts a second, and the median over the rounds of its ratio to the tuned encoder's."""
    pairs = zip(contender.rates, tuned.rates, strict=True)
    ratio = float(np.median([own / other for own, other in pairs]))
    return (
        Figure(f"{contender.name}: texts a second", contender.rate),
        Figure(f"{contender.name}: times the tuned encoder's rate", ratio),
    )


def _figures(
    values: Mapping[str, Mapping[str, Figure]],
    gains: Mapping[str, Mapping[str, Figure]],
    rates: Mapping[str, tuple[Figure, Figure]],
) -> Iterator[Figure]:
    """The tuned encoder first, since the index shows a report's first figures."""
    order = sorted(values, key=lambda name: name != TUNED)
    for name in order:
        yield from values[name].values()
        yield from gains.get(name, {}).values()
        yield from rates[name]


def _judged(gain: Mapping[str, Figure], contender: Contender, tuned: Contender) -> tuple[str, str]:
    """Verdict and reason for what would stand beside or in place of the tuned encoder."""
    asked = [(SHORT[name], gain[name]) for name in DECIDING]
    better = [_told(name, figure) for name, figure in asked if figure.low is not None and figure.low > 0]
    worse = [_told(name, figure) for name, figure in asked if figure.high is not None and figure.high < 0]
    speed = _rates(contender, tuned)[1].value
    cost = f"{shown(speed)} of the rate, {contender.size / 1e6:.0f} MB"
    if worse:
        return "no", f"clearly worse in {'; '.join(worse)}"
    if not better:
        return "no", f"no gain beyond its interval ({cost})"
    if speed < SLOWEST or contender.size > LARGEST:
        return "no", f"gains in {'; '.join(better)}, and costs too much: {cost}"
    return WORTH, f"gains in {'; '.join(better)} at {cost}"


def _of_shipped(name: str, verdict: str, why: str) -> tuple[str, str]:
    """The verdict, in other words for the ensemble that ships already."""
    return (verdict if name != SHIPPED else KEPT if verdict == WORTH else SPARED), why


def _staged(faster: Mapping[str, float], caught: Figure, suspected: Figure) -> tuple[str, str]:
    """Verdict and reason for the first stage: it must be faster in every mix."""
    slowest = min(faster, key=lambda mix: faster[mix])
    told = (
        f"{shown(faster[slowest])} times the rate on {slowest}; it loses {caught.value:.1%} of the violations that "
        f"the encoder catches and {suspected.value:.1%} of those that it suspects"
    )
    if faster[slowest] >= FASTER and caught.value <= LOST:
        return WORTH, told
    return (
        "no",
        f"{told}; to pay for texts without memory vector, explanation and policy scores it would have to be "
        f"{FASTER:g} times as fast in every mix at no more than {LOST:.0%} lost",
    )


def _told(name: str, figure: Figure) -> str:
    return f"{name} {figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"


def _interval(figure: Figure) -> str:
    return f"{shown(figure.value)} [{shown(figure.low)}, {shown(figure.high)}]"


def _side_by_side(
    found: Found, values: Mapping[str, Mapping[str, Figure]], rates: Mapping[str, tuple[Figure, Figure]]
) -> Table:
    head = ("way", *SHORT.values(), "MB on disk", "texts/s", "of the tuned encoder's")
    lines = []
    for contender in found.contenders:
        cells = [_interval(values[contender.name][name]) for name in MEASURES]
        speed, ratio = rates[contender.name]
        size = shown(contender.size / 1e6)
        lines.append((contender.name, *cells, size, shown(speed.value), f"{shown(ratio.value)} ×"))
    return Table("Side by side", head, tuple(lines))


def _against(title: str, gains: Mapping[str, Mapping[str, Figure]]) -> Table:
    lines = ((name, *(_interval(of[measure]) for measure in MEASURES)) for name, of in gains.items())
    return Table(title, ("way", *SHORT.values()), tuple(lines))


def _first_stage(
    shares: Mapping[str, Figure],
    speed: Mapping[str, float],
    faster: Mapping[str, float],
    caught: Figure,
    suspected: Figure,
) -> Table:
    lost = f"{_interval(caught)} of those caught, {_interval(suspected)} of those suspected"
    lines = ((mix, _interval(of), shown(speed[mix]), f"{shown(faster[mix])} ×") for mix, of in shares.items())
    head = ("texts", "share that skips the encoder", "texts/s", "of the tuned encoder's")
    return Table(f"N-grams first, then the tuned encoder; violations lost: {lost}", head, tuple(lines))


def _ways(found: Found) -> Iterator[tuple[str, str]]:
    for contender in found.contenders:
        yield contender.name, MEANING[contender.name].format(neighbours=found.neighbours)
