"""Reads the training texts: our own labelled corpus by its parts, and public sets from a folder.

No set that the evaluations read is read here.
"""

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from domain.errors import Invalid
from domain.vocabulary import Policy, Severity
from screening.training.readings import Reading, digest

CLEAN = "clean"
TRAIN, CALIBRATION, TEST = "train", "calibration", "test"
CLASSES: tuple[str, ...] = (*Policy, CLEAN)
BORDERLINE = 0.65
"""How much a borderline row counts for its policy; the rest counts for clean."""

FURTHER = 0.25
"""Share of a row's policy that goes to the further policies it names."""

SECOND = 0.4
"""Share of a blind second reader's label in what is learnt of a row, the writer's being the rest."""


@dataclass(frozen=True)
class Example:
    """A text with its soft target over the classes, and how much it counts in fitting."""

    text: str
    target: Mapping[str, float]
    severity: Severity | None
    group: str
    """Who wrote it: rows of one writer never stand in two parts."""
    scenario: str = ""
    lang: str = "en"
    weight: float = 1.0
    borderline: bool = False
    hard: bool = False
    kind: str = "message"
    labels: frozenset[str] = field(default_factory=frozenset)

    @property
    def violates(self) -> bool:
        return self.labels != {CLEAN}


def writers(folder: Path, part: str) -> tuple[str, ...]:
    """Who wrote a part, from `splits.yaml` in the corpus' folder. Raises Invalid where it cannot be read."""
    path = folder / "splits.yaml"
    try:
        parts = yaml.safe_load(path.read_text(encoding="utf-8"))
        split = {str(name): tuple(str(writer) for writer in listed) for name, listed in parts.items()}
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise Invalid(f"{path} is not a list of writers for each part ({error}); restore it") from error
    everybody = [writer for listed in split.values() for writer in listed]
    if twice := sorted({writer for writer in everybody if everybody.count(writer) > 1}):
        raise Invalid(f"{path} names {', '.join(twice)} more than once; a writer belongs to one part alone")
    if not split.get(part):
        raise Invalid(f"{path} names nobody for the part '{part}'; it knows {', '.join(split)}")
    return split[part]


def corpus(folder: Path, part: str) -> list[Example]:
    """Our own rows of one part. Raises Invalid on a bad row, or a writer without rows."""
    examples: list[Example] = []
    for writer in writers(folder.parent, part):
        path = folder / f"{writer}.jsonl"
        if not path.is_file():
            raise Invalid(f"{path} is missing, though splits.yaml names its writer")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                examples.append(_own(json.loads(line)))
            except (KeyError, ValueError) as error:
                raise Invalid(f"{path.name}:{number}: not a corpus row: {error!r}; see the label guide") from error
    if not examples:
        raise Invalid(f"{folder} holds no rows of the part '{part}'")
    return examples


def _own(row: Mapping[str, object]) -> Example:
    label, also = str(row["policy"]), row.get("also")
    further = [str(Policy(p)) for p in also] if isinstance(also, list) else []
    borderline = row.get("borderline") is True
    target = _soft(label, further, borderline=borderline)
    if isinstance(second := row.get("second"), dict):
        other = _soft(str(second["policy"]), further, borderline=second.get("borderline") is True)
        target = {name: _shared(target, other, name) for name in {*target, *other}}
    severity = Severity(str(row["severity"])) if row.get("severity") else None
    return Example(
        text=str(row["text"]),
        target=target,
        severity=severity,
        group=str(row["writer"]),
        scenario=str(row["scenario"]),
        lang=str(row.get("lang", "en")),
        borderline=borderline,
        hard=row.get("hard") is True,
        kind=str(row["kind"]),
        labels=frozenset({label, *further}),
    )


def _soft(label: str, further: Sequence[str], *, borderline: bool) -> dict[str, float]:
    """One reader's label as shares of the classes."""
    if label not in CLASSES:
        raise ValueError(f"unknown policy {label}")
    certain = BORDERLINE if borderline else 1.0
    share = FURTHER if further and label != CLEAN else 0.0
    target = {label: certain * (1 - share)}
    for name in further if share else ():
        target[name] = target.get(name, 0.0) + certain * share / len(further)
    if borderline:
        target[CLEAN] = target.get(CLEAN, 0.0) + 1 - certain
    return target


def _shared(writers: Mapping[str, float], second: Mapping[str, float], name: str) -> float:
    return (1 - SECOND) * writers.get(name, 0.0) + SECOND * second.get(name, 0.0)


@dataclass(frozen=True)
class PublicSet:
    """How a public set is read: which heads mean which class, the first that is 1 winning."""

    name: str
    licence: str
    classes: Mapping[str, str]
    clean: tuple[str, ...] = ()
    """Heads that must all be 0 for a row to count as clean; empty: its clean rows are not used."""


_ABUSE = ("toxic", "hate", "harassment")
PUBLIC: tuple[PublicSet, ...] = (
    PublicSet("sms_spam", "CC BY 4.0", {"spam": Policy.SPAM}, ("spam", "scam")),
    PublicSet("janitr_x_scam", "MIT", {"scam": Policy.SCAMS, "spam": Policy.SPAM}),
    PublicSet(
        "convabuse",
        "CC BY 4.0",
        {"hate": Policy.HATE, "sexual": Policy.INAPPROPRIATE, "harassment": Policy.HARASSMENT},
        (*_ABUSE, "sexual"),
    ),
    PublicSet("edos", "CC0-1.0", {"threat": Policy.THREATS, "hate": Policy.HATE}),
    PublicSet("davidson", "MIT", {"hate": Policy.HATE}, ("toxic", "hate")),
    PublicSet("hatemoji_build", "CC BY 4.0", {"threat": Policy.THREATS, "hate": Policy.HATE}, ("toxic", "hate")),
    PublicSet("implicit_hate", "MIT", {"hate": Policy.HATE}, ("toxic", "hate")),
    PublicSet("civil_toxic_spans", "CC0-1.0", {"toxic": Policy.HARASSMENT}, ("toxic", "hate", "threat")),
)
PER_CLASS = 600
"""Rows of one class taken from one public set: more would drown the dating talk and cost time."""

SHORTEST, MAX_CHARACTERS = 3, 400
PUBLIC_WEIGHT = 0.3
"""What a public row counts by its authors' label, ours counting 1: enough to know other registers, too little to
outvote dating talk."""


def public(folder: Path, read: Mapping[str, Reading], *, seed: int = 0) -> list[Example]:
    """From the public sets in `folder`: all that were read by our guide (`readings`), with our labels, and a balanced
    sample of the others by their authors' labels, each counting `PUBLIC_WEIGHT`. Raises Invalid where a set is missing.
    """
    examples: list[Example] = []
    for chosen in PUBLIC:
        by_class: dict[str, list[str]] = {}
        for text, label in _texts(folder / f"{chosen.name}.jsonl.gz", chosen):
            found = read.get(digest(text))
            if found is None and label is not None and len(text) >= SHORTEST:
                by_class.setdefault(label, []).append(text)
            elif found is not None and found["policy"] is not None:
                examples.append(_own({**found, "text": text, "writer": chosen.name, "scenario": "", "kind": "message"}))
        for label, texts in sorted(by_class.items()):
            picked = random.Random(f"{seed}{chosen.name}{label}").sample(texts, min(PER_CLASS, len(texts)))
            examples += [
                Example(text, {label: 1.0}, None, chosen.name, weight=PUBLIC_WEIGHT, labels=frozenset({label}))
                for text in picked
            ]
    return examples


def _texts(path: Path, chosen: PublicSet) -> Iterator[tuple[str, str | None]]:
    """Each text once, with the class that its authors' labels mean, if they mean one of ours."""
    if not path.is_file():
        raise Invalid(f"{path} is missing; the card of the model names where each public set comes from")
    seen: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text, labels = row["text"], row["labels"]
            if len(text) > MAX_CHARACTERS or text in seen:
                continue
            seen.add(text)
            label = next((name for head, name in chosen.classes.items() if labels.get(head) == 1), None)
            if label is None and chosen.clean and all(labels.get(head) == 0 for head in chosen.clean):
                label = CLEAN
            yield text, label
