"""Builds a complete model folder, and puts it in place only when it is whole."""

import hashlib
import json
import logging
import os
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from tokenizers import Tokenizer

from domain.vocabulary import Policy, Severity
from screening.calibration import Calibration
from screening.model import NGRAMS
from screening.ngrams import load, write
from screening.normalise import Normalised, normalise
from screening.rules import Rules
from screening.tokens import WINDOW, Tokens
from screening.training import (
    augment,
    calibrate,
    card,
    e5,
    encoder,
    features,
    finetune,
    frames,
    heads,
    ngrams,
    readings,
    sources,
    variants,
    vocabulary,
)
from screening.training.frames import Frames
from screening.training.sources import Example

Array = NDArray[np.float32]
log = logging.getLogger("screening.training")
VERSION = "7"
LAYERS = 8
"""Layers kept of the published twelve: on frozen features the upper four add less than fine-tuning makes up for."""

HIDDEN_TEXT = "hidden_text"
HIDDEN_TEXT_PRIOR = 0.8
"""Prior log-odds of a violation given a disguised text: a disguise is rarely meant for the reader."""

ENOUGH_ROWS = 100
"""Rows of a language from which the model is taken to read it; the evaluations then measure each."""

SAMPLED = 8
"""Every eighth row measures the range of activations."""

SPREAD = 12_000
"""Rows, spread evenly, on which the first read-outs, the memory vector and its heads are fitted."""


@dataclass(frozen=True)
class Inputs:
    """Where everything comes from: published weights, our rows, public sets, and a folder for what can be kept."""

    weights: Path
    corpus: Path
    datasets: Path
    cache: Path


@dataclass(frozen=True)
class Rows:
    """What a model is made from: our rows, public ones and frames to learn from, and rows to calibrate on."""

    own: Sequence[Example]
    public: Sequence[Example]
    unseen: Sequence[Example]
    frames: Sequence[Frames]

    @classmethod
    def read(cls, corpus: Path, datasets: Path) -> "Rows":
        return cls(
            sources.corpus(corpus, sources.TRAIN),
            sources.public(datasets, readings.load(corpus.parent)),
            sources.corpus(corpus, sources.CALIBRATION),
            frames.load(corpus.parent / "frames"),
        )

    @property
    def learnt(self) -> list[Example]:
        return [*self.own, *self.public]


def build_folder(inputs: Inputs, out: Path, recipe: finetune.Recipe) -> None:
    """Fit everything and write model, tokenizer, calibration, manifest and card into `out`."""
    rows = Rows.read(inputs.corpus, inputs.datasets)
    log.info("%d own rows, %d public, %d to calibrate on", len(rows.own), len(rows.public), len(rows.unseen))
    published = pruned(e5.load(inputs.weights), rows.learnt)
    assemble(tune(published, rows, inputs.cache, recipe), rows, out, inputs.cache)


def tune(published: e5.Published, rows: Rows, cache: Path, recipe: finetune.Recipe) -> finetune.Tuned:
    """Read-outs fitted on the published encoder, then everything fine-tuned together."""
    tokens, some = Tokens(published.tokenizer()), spread(rows.learnt)
    known = features.compute(encoder.build(published, None), tokens, [e.text for e in some], cache)
    log.info("features of the published encoder computed")
    first = heads.fit_classes(known, some), heads.fit_severity(known, some)
    return finetune.tune(published, *first, epochs(rows, published.tokenizer(), recipe), recipe)


def spread(rows: Sequence[Example]) -> list[Example]:
    """At most `SPREAD` of the rows, at even distances."""
    return [rows[i * len(rows) // SPREAD] for i in range(SPREAD)] if len(rows) > SPREAD else list(rows)


def assemble(tuned: finetune.Tuned, rows: Rows, out: Path, cache: Path) -> None:
    """Quantise and calibrate a tuned model, and put its whole folder in place."""
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    tokens, texts, some = Tokens(tuned.model.tokenizer()), [e.text for e in rows.learnt], spread(rows.own)
    tokens.save(draft / "tokenizer.json")
    ranges = encoder.measure_ranges(tuned.model, tokens, texts[::SAMPLED])
    read = features.compute(encoder.build(tuned.model, ranges), tokens, [e.text for e in some], cache)
    last = read[:, -encoder.DIMENSIONS :]
    memory = heads.fit_memory(last)
    onnx.save(encoder.build(tuned.model, ranges, tuned.classes, tuned.severities, memory), draft / "model.onnx")
    _write_vector_heads(draft / "heads.npz", heads.apply(memory, last), some)
    write(draft / NGRAMS, ngrams.fit_on(rows.learnt, rows.frames))
    log.info("n-grams fitted")
    _describe(draft, out.name, rows)
    _put_in_place(draft, out)


def recalibrate(rows: Rows, out: Path) -> None:
    """Fit the calibration of a finished folder anew, after a rule or the calibration rows changed."""
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(out, draft)
    _describe(draft, out.name, rows)
    _put_in_place(draft, out)


def _describe(folder: Path, name: str, rows: Rows) -> None:
    """Write what stands beside the model: calibration, card and manifest."""
    log.info("calibrating")
    calibration, figures = _calibrated(folder, rows.unseen)
    (folder / "calibration.json").write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    described = card.render(name, VERSION, rows.own, rows.public, rows.unseen, rows.frames, figures)
    (folder / "CARD.md").write_text(described, encoding="utf-8")
    _write_manifest(folder, name, languages_of(rows.own))


def epochs(rows: Rows, tokenizer: Tokenizer, recipe: finetune.Recipe) -> list[list[finetune.Row]]:
    """The rows of each epoch: ours every time, written anew; the frames every time, filled anew; and the public ones
    once, spread over the epochs.
    """
    company = variants.Company(rows.own)
    alike: dict[tuple[str, str], int] = {}

    def row(example: Example, dice: random.Random, *, as_written: bool = False) -> finetune.Row:
        example = variants.swapped(example, dice)
        if example.scenario:
            example = company.joined(example, dice)
        text = example.text if as_written else augment.varied(example.text, dice)
        label = max(example.target, key=lambda name: example.target[name])
        key = alike.setdefault((example.scenario, label), len(alike)) if example.scenario else -1
        return finetune.Row(
            tokenizer.encode(text).ids[:WINDOW],
            [example.target.get(name, 0.0) for name in sources.CLASSES],
            example.severity,
            example.weight,
            key,
        )

    made = []
    for epoch in range(recipe.epochs):
        dice = random.Random(f"{recipe.seed}-{epoch}")
        own = [row(e, dice, as_written=not epoch) for e in rows.own]
        filled = [row(e, dice) for some in rows.frames for e in some.filled(dice)]
        made.append(own + filled + [row(e, dice) for e in rows.public[epoch :: recipe.epochs]])
    return made


def pruned(published: e5.Published, rows: Sequence[Example]) -> e5.Published:
    """The published model with the vocabulary that is served and the layers that are kept."""
    tokenizer = published.tokenizer()
    seen = {piece for e in rows for piece in tokenizer.encode(e.text).ids}
    return replace(published.keep(vocabulary.served(published.pieces, seen)), layers=LAYERS)


def _calibrated(folder: Path, rows: Sequence[Example]) -> tuple[Calibration, Mapping[str, float]]:
    """Calibration fitted on what the finished model says of rows it never saw, and figures on the same rows."""
    plain = [normalise(e.text) for e in rows]
    rules = Rules.load()
    columns = [(rule.name, rule.policy, rule.weight) for rule in rules.all] + [(HIDDEN_TEXT, None, HIDDEN_TEXT_PRIOR)]
    matched = _matches(plain, rules, [name for name, _, _ in columns])
    model = features.opened(folder, load(folder / NGRAMS))
    policies, violation, severities = features.outputs(model, plain)
    seen = calibrate.Observations(policies, violation, matched, heads.targets(rows))
    calibration = calibrate.fit(seen, columns, HIDDEN_TEXT)
    return calibration, card.figures(rows, calibrate.log_odds(calibration, seen, columns), severities)


def _matches(texts: Sequence[Normalised], rules: Rules, columns: Sequence[str]) -> Array:
    """Which rules matched, N x R, and in the last column whether something was hidden."""
    matched = np.zeros((len(texts), len(columns)), dtype=np.float32)
    positions = {name: index for index, name in enumerate(columns)}
    for row, text in enumerate(texts):
        for match in rules.match(text):
            matched[row, positions[match.rule.name]] = 1
        matched[row, -1] = float(bool(text.hidden))
    return matched


def _write_vector_heads(path: Path, memory: Array, rows: Sequence[Example]) -> None:
    """Heads on the memory vector alone, for encoders that offer no more than that."""
    vectors = memory / np.linalg.norm(memory, axis=1, keepdims=True)
    classes = heads.fit_classes(vectors, rows)
    severity = heads.fit_severity(vectors, rows)
    stored = {"classes": classes, "severity": severity}
    arrays = {f"{name}.{part}": getattr(head, part) for name, head in stored.items() for part in ("weight", "bias")}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def languages_of(rows: Sequence[Example]) -> list[str]:
    """The languages with enough rows to have been learnt."""
    counts = Counter(row.lang for row in rows)
    return sorted(lang for lang, count in counts.items() if count >= ENOUGH_ROWS)


def _write_manifest(folder: Path, name: str, languages: Sequence[str]) -> None:
    files = sorted(p for p in folder.iterdir() if p.name not in ("model.json", "CARD.md"))
    manifest = {
        "name": name,
        "version": VERSION,
        "policies": list(Policy),
        "severities": list(Severity),
        "languages": list(languages),
        "opset": encoder.OPSET,
        "inputs": ["input_ids", "attention_mask"],
        "sha256": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
    }
    (folder / "model.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _put_in_place(draft: Path, out: Path) -> None:
    """Swap folders by renaming, so that nobody ever sees half a model."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        os.replace(out, old)
    os.replace(draft, out)
    shutil.rmtree(old, ignore_errors=True)
    log.info("wrote %s", out)
