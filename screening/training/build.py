"""Builds a complete model folder, and puts it in place only when it is whole."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from domain.vocabulary import Policy, Severity
from screening.normalise import normalise
from screening.rules import Rules
from screening.tokens import OVERLAP, WINDOW, Tokens
from screening.training import calibrate, card, encoder, features, heads, sources

Array = NDArray[np.float32]
log = logging.getLogger("screening.training")
VERSION = "1"
HIDDEN_TEXT = "hidden_text"
HIDDEN_TEXT_PRIOR = 0.8
"""Prior log-odds of a violation given a disguised text: a disguise is rarely meant for the reader."""

SAMPLED = 3
"""Every third own row, and every twentieth public one, measures the range of activations."""


def build_folder(weights: Path, corpus: Path, datasets: Path, out: Path, cache: Path) -> None:
    """Fit everything and write model, tokenizer, calibration, manifest and card into `out`."""
    own = sources.corpus(corpus)
    public = [replace(e, weight=heads.PUBLIC_WEIGHT) for e in sources.public(datasets)]
    log.info("%d own rows, %d public rows", len(own), len(public))
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _write_tokenizer(weights / "tokenizer.json", draft / "tokenizer.json")
    tokens = Tokens(draft / "tokenizer.json")

    sample = [e.text for e in own[::SAMPLED]] + [e.text for e in public[:: SAMPLED * 7]]
    ranges = encoder.measure_ranges(weights, tokens, sample)
    headless = encoder.build(weights, ranges)
    plain = [normalise(e.text) for e in own]
    posted = features.compute(headless, tokens, [e.text for e in own], cache)
    unmasked = features.compute(headless, tokens, [n.text for n in plain], cache)
    further = features.compute(headless, tokens, [e.text for e in public], cache)
    log.info("features computed")

    rules = Rules.load()
    columns = [(rule.name, rule.policy, rule.weight) for rule in rules.all] + [(HIDDEN_TEXT, None, HIDDEN_TEXT_PRIOR)]
    matched = np.zeros((len(own), len(columns)), dtype=np.float32)
    positions = {name: index for index, (name, _, _) in enumerate(columns)}
    for row, text in enumerate(plain):
        for match in rules.match(text):
            matched[row, positions[match.rule.name]] = 1
        matched[row, -1] = float(bool(text.hidden))

    both, owners = np.vstack([posted, unmasked]), [*own, *own]
    classes, severities = heads.out_of_fold(both, owners, further, public)
    policies, violation = worse_form(classes)
    seen = calibrate.Observations(policies, violation, matched, heads.targets(own))
    calibration = calibrate.fit(seen, columns, HIDDEN_TEXT)
    sums = calibrate.log_odds(calibration, seen, columns)
    figures = card.figures(own, sums, severities[: len(own)])
    log.info("%s", figures)

    class_head = heads.fit_classes(np.vstack([both, further]), [*owners, *public])
    severity_head = heads.fit_severity(both, owners)
    onnx.save(encoder.build(weights, ranges, class_head, severity_head), draft / "model.onnx")
    _write_vector_heads(draft / "heads.npz", both, further, owners, public)
    (draft / "calibration.json").write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (draft / "CARD.md").write_text(card.render(out.name, VERSION, own, public, figures), encoding="utf-8")
    _write_manifest(draft, out.name)
    _put_in_place(draft, out)


def worse_form(classes: Array) -> tuple[Array, Array]:
    """Log-odds of the posted or the normalised form, whichever speaks more of a violation; rows come twice."""
    policies, violation = heads.log_odds(classes)
    half = len(violation) // 2
    second = violation[half:] > violation[:half]
    return np.where(second[:, None], policies[half:], policies[:half]), np.maximum(violation[:half], violation[half:])


def _write_tokenizer(source: Path, target: Path) -> None:
    """The published tokenizer, without its padding to 128 and its cut at 128."""
    tokenizer = json.loads(source.read_text(encoding="utf-8"))
    tokenizer["padding"] = None
    tokenizer["truncation"] = {
        "direction": "Right",
        "max_length": WINDOW,
        "strategy": "LongestFirst",
        "stride": OVERLAP,
    }
    target.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


def _write_vector_heads(
    path: Path, own: Array, public: Array, own_rows: Sequence[sources.Example], public_rows: Sequence[sources.Example]
) -> None:
    """Heads on the sentence vector alone, for encoders that offer no more than that."""
    last = np.vstack([own, public])[:, -encoder.DIMENSIONS :]
    vectors = last / np.linalg.norm(last, axis=1, keepdims=True)
    classes = heads.fit_classes(vectors, [*own_rows, *public_rows])
    severity = heads.fit_severity(vectors[: len(own)], own_rows)
    stored = {"classes": classes, "severity": severity}
    arrays = {f"{name}.{part}": getattr(head, part) for name, head in stored.items() for part in ("weight", "bias")}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def _write_manifest(folder: Path, name: str) -> None:
    files = sorted(p for p in folder.iterdir() if p.name not in ("model.json", "CARD.md"))
    manifest = {
        "name": name,
        "version": VERSION,
        "policies": list(Policy),
        "severities": list(Severity),
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
