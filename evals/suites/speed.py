"""How fast screening is, beside the raw forward pass of its model, which is the limit without a GPU.

Both are timed in turns, so that what else the machine does meets both alike; ratios can be compared between machines,
times cannot.
"""

import asyncio
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from domain.content import Content
from domain.errors import Invalid
from domain.vocabulary import ContentType
from evals.context import Context
from evals.corpus import rows
from evals.judging import APP, Text
from evals.report import Figure, Report, Table, shown
from screening.model import MAX_PASS, OUTPUTS, session_of
from screening.screen import Screener
from screening.tokens import Tokens, batch

THREADS = (1, 2)
SHORTEST, LONGEST = 16, 24
"""Tokens of a text, the two marks at its ends included: about 20."""

BASE_RATE = 0.05
TEXTS = 128
ROUNDS = 5
MANY, SINGLE, LOAD = "many at once", "one at a time", "loading"
WHAT = (
    "{texts} texts of {shortest} to {longest} tokens by the writers of the test part, {share:.0%} of them violations "
    "as in ordinary traffic, through all of screening (normalisation, rules, language, tokens, model, calibration, "
    "evidence), and beside it the bare forward pass of onnxruntime on the same texts, already cut into tokens: all "
    "texts at once against batches of {batch}, or one at a time. Screening and bare pass took turns, {rounds} rounds "
    "each after one to warm up, all by the same screener, as in a service that has run for a while. On two threads "
    "screening has two passes at once, each on one thread, and the bare pass is one on both. Rates are the median of "
    "the rounds, waits are over all texts of all rounds, and a ratio is the median of the rounds' ratios. Loading "
    "checks every file's hash; the bare one does not. Measured on {machine}."
)

Seconds = list[float]
Feed = dict[str, NDArray[np.int64]]


@dataclass
class _Pair:
    """Screening and the bare pass at the same work: the seconds of each call, round by round."""

    screening: list[Seconds] = field(default_factory=list)
    bare: list[Seconds] = field(default_factory=list)

    def ratio(self, of: Callable[[Seconds], float]) -> float:
        """Screening over the bare pass: the median over the rounds."""
        return statistics.median(of(ours) / of(raw) for ours, raw in zip(self.screening, self.bare, strict=True))


async def run(context: Context) -> Report:
    """Time screening and the bare pass. Raises Invalid where the corpus holds no texts of the right length."""
    texts = _texts(context)
    found: dict[int, dict[str, _Pair]] = {}
    with tqdm(total=len(THREADS) * (ROUNDS + 1), desc="speed", unit="round", leave=False) as bar:
        for threads in THREADS:
            found[threads] = await _measure(context.model, texts, threads, bar.update)
    share = sum(text.violates for text in texts) / len(texts)
    machine = f"{platform.machine()}, Python {platform.python_version()}, onnxruntime {onnxruntime.__version__}"
    return Report(
        suite="speed",
        title="Speed beside the raw forward pass",
        what=WHAT.format(
            texts=len(texts),
            shortest=SHORTEST,
            longest=LONGEST,
            share=share,
            batch=MAX_PASS,
            rounds=ROUNDS,
            machine=machine,
        ),
        figures=tuple(figure for threads in THREADS for figure in _figures(found[threads], threads, len(texts))),
        tables=(_table(found, len(texts)),),
        model=context.named,
        sources=("our own corpus, the writers of the test part (data/corpus/GUIDE.md, splits.yaml)",),
    )


def _texts(context: Context) -> list[Text]:
    """Texts of about 20 tokens, violations at the base rate and spread evenly among the clean ones."""
    tokens = Tokens.load(context.model / "tokenizer.json")
    fitting = [t for t in rows(context.corpus, "test") if SHORTEST <= len(tokens.windows(t.text)[0]) <= LONGEST]
    clean = [text for text in fitting if not text.violates]
    violating = [text for text in fitting if text.violates]
    wanted = min(context.limit or TEXTS, TEXTS, len(clean))
    if not wanted:
        raise Invalid(f"{context.corpus} holds no clean text of {SHORTEST} to {LONGEST} tokens; restore its rows")
    every = round(1 / BASE_RATE)
    mixed = list(clean[:wanted])
    for place, text in zip(range(every // 2, wanted, every), violating, strict=False):
        mixed[place] = text
    return mixed


async def _measure(folder: Path, texts: Sequence[Text], threads: int, done: Callable[[], object]) -> dict[str, _Pair]:
    """Each kind of work, on so many threads, in turns; the first round only warms up."""
    tokens = Tokens.load(folder / "tokenizer.json")
    windows = [tokens.windows(text.text)[0] for text in texts]
    batches = [batch(windows[start : start + MAX_PASS]) for start in range(0, len(windows), MAX_PASS)]
    singles = [batch([window]) for window in windows]
    contents = [_content(text) for text in texts]
    pairs = {name: _Pair() for name in (MANY, SINGLE, LOAD)}
    session, screener = session_of(folder, threads), Screener.load(folder, model=folder.name, threads=threads)
    try:
        for _ in range(ROUNDS + 1):
            begun = time.perf_counter()
            session_of(folder, threads)
            between = time.perf_counter()
            Screener.load(folder, model=folder.name, threads=threads).close()
            pairs[LOAD].screening.append([time.perf_counter() - between])
            pairs[LOAD].bare.append([between - begun])
            pairs[MANY].screening.append(await _screened(screener, [contents]))
            pairs[MANY].bare.append(_passes(session, batches))
            pairs[SINGLE].screening.append(await _screened(screener, [[content] for content in contents]))
            pairs[SINGLE].bare.append(_passes(session, singles))
            done()
    finally:
        screener.close()
    return {name: _Pair(pair.screening[1:], pair.bare[1:]) for name, pair in pairs.items()}


def _content(text: Text) -> Content:
    kind = ContentType(text.kind)
    return Content(app_id=APP, content_id=text.id, content_type=kind, text=text.text, user_id=text.id)


async def _screened(screener: Screener, calls: Sequence[Sequence[Content]]) -> Seconds:
    """Seconds of each call, one after another; the contents of one call are screened at once."""
    taken = []
    for contents in calls:
        started = time.perf_counter()
        await asyncio.gather(*(screener.screen(content) for content in contents))
        taken.append(time.perf_counter() - started)
    return taken


def _passes(session: onnxruntime.InferenceSession, feeds: Sequence[Feed]) -> Seconds:
    """Seconds of each forward pass."""
    taken = []
    for feed in feeds:
        started = time.perf_counter()
        session.run(OUTPUTS, feed)
        taken.append(time.perf_counter() - started)
    return taken


def _rate(rounds: Sequence[Seconds], texts: int) -> float:
    return texts / statistics.median(sum(calls) for calls in rounds)


def _wait(rounds: Sequence[Seconds], percent: float) -> float:
    """Milliseconds of one call."""
    return _percentile([seconds for calls in rounds for seconds in calls], percent) * 1e3


def _percentile(seconds: Seconds, percent: float) -> float:
    return float(np.percentile(seconds, percent))


def _figures(pairs: Mapping[str, _Pair], threads: int, texts: int) -> Iterator[Figure]:
    """Every rate or time, followed by its ratio to the bare pass."""
    on = f"{threads} thread{'s' * (threads > 1)}"
    for name in (MANY, SINGLE):
        pair = pairs[name]
        yield Figure(f"{name}, {on}: texts a second", _rate(pair.screening, texts), rows=texts)
        yield Figure(f"{name}, {on}: share of the bare pass's rate", 1 / pair.ratio(sum), rows=texts, gate=0.15)
    single = pairs[SINGLE]
    for percent in (50, 95):
        value = _wait(single.screening, percent)
        ratio = single.ratio(lambda calls, percent=percent: _percentile(calls, percent))  # type: ignore[misc]
        name = f"{SINGLE}, {on}: p{percent}"
        yield Figure(f"{name}, ms", value, rows=texts, higher_is_better=False)
        yield Figure(f"{name}, times the bare pass's", ratio, rows=texts, gate=0.75, higher_is_better=False)
    load = pairs[LOAD]
    yield Figure(f"{LOAD}, {on}: seconds", _wait(load.screening, 50) / 1e3, higher_is_better=False)
    yield Figure(f"{LOAD}, {on}: times the bare session's", load.ratio(sum), higher_is_better=False)


def _table(found: Mapping[int, Mapping[str, _Pair]], texts: int) -> Table:
    head = (
        "threads",
        "work",
        "screening, texts/s",
        "bare pass, texts/s",
        "screening, ms a call",
        "bare pass, ms a call",
    )
    lines = [
        (
            str(threads),
            name,
            *(shown(_rate(rounds, texts)) for rounds in (pair.screening, pair.bare)),
            *(shown(_wait(rounds, 50)) for rounds in (pair.screening, pair.bare)),
        )
        for threads, pairs in found.items()
        for name, pair in pairs.items()
        if name != LOAD
    ]
    return Table("Side by side (a call of “many at once” is all texts, of the bare pass one batch)", head, tuple(lines))
