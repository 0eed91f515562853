"""Sentences with holes for groups of people, half of them harmful, whatever the group.

A classifier learns to suspect the mere name of a group that it mostly met in abuse, and to miss contempt of groups
that are seldom abused. The remedy is training text balanced over groups (Dixon et al. 2018, "Measuring and mitigating
unintended bias in text classification"): each pass over the frames fills their holes anew, the words drawn
without regard to the label. Each file has about as many harmful frames as clean ones, and so has each list of words
that stands in many of them.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from domain.errors import Invalid
from screening.training.sources import CLASSES, Example

FILLINGS = 2
"""How often a pass over the rows fills each frame."""

WEIGHT = 0.7
"""What a filled frame counts, a row of the corpus counting 1: it is less like what people write."""

_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Frames:
    """One file: a language, its lists of words, and its frames under their labels."""

    lang: str
    words: Mapping[str, Sequence[str]]
    frames: Mapping[str, Sequence[str]]

    def filled(self, dice: random.Random) -> Iterator[Example]:
        """Every frame `FILLINGS` times, with words drawn for its holes."""
        for label, frames in self.frames.items():
            for frame in frames:
                for _ in range(FILLINGS):
                    text = _HOLE.sub(lambda hole: dice.choice(self.words[hole[1]]), frame)
                    yield Example(
                        text, {label: 1.0}, None, "frames", lang=self.lang, weight=WEIGHT, labels=frozenset({label})
                    )


def load(folder: Path) -> list[Frames]:
    """All files of frames in `folder`. Raises Invalid on a file that is none, a hole without words, or none at all."""
    read = [_read(path) for path in sorted(folder.glob("*.yaml"))]
    if not read:
        raise Invalid(f"{folder} holds no frames (*.yaml); restore it")
    return read


def _read(path: Path) -> Frames:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        frames = Frames(found["lang"], found["words"], found["frames"])
        holes = {hole for texts in frames.frames.values() for text in texts for hole in _HOLE.findall(text)}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"{path.name} holds no frames ({error!r}); it needs lang, words and frames") from error
    if strange := sorted(set(frames.frames) - set(CLASSES)):
        raise Invalid(f"{path.name} has frames of an unknown label: {', '.join(strange)}")
    if empty := sorted(hole for hole in holes if not frames.words.get(hole)):
        raise Invalid(f"{path.name} has no words for the holes {', '.join(empty)}")
    return frames
