"""Frames are filled with every word as likely in harm as in harmless company, and a broken file is named."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from domain.errors import Invalid
from screening.training.frames import FILLINGS, load
from screening.training.sources import CLEAN

OFTEN, LEAN = 8, 0.3
"""Holes from which a list is used often, and the share by which they may be more in harm or in harmless company."""

SHIPPED = Path(__file__).parents[2] / "data" / "corpus" / "frames"
SMALL = """
lang: en
words:
  people: [bakers, sailors]
frames:
  hate: ["no {people} here", "{people} should go"]
  clean: ["my aunts are {people}", "{people} met {people}"]
"""


def test_each_frame_is_filled_each_time_and_the_words_know_no_label(tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text(SMALL)
    [frames] = load(tmp_path)
    seen = [example for seed in range(200) for example in frames.filled(random.Random(seed))]
    assert len(seen) == 200 * 4 * FILLINGS
    assert not any("{" in example.text for example in seen)
    named = Counter((example.violates, "bakers" in example.text) for example in seen if " met " not in example.text)
    assert named[True, True] / (named[True, True] + named[True, False]) == pytest.approx(0.5, abs=0.05)
    assert named[False, True] / (named[False, True] + named[False, False]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("lang: [", "holds no frames"),
        ("- en", "holds no frames"),
        (SMALL.replace("people: [", "persons: ["), "no words for the holes people"),
        (SMALL.replace("hate:", "rude:"), "unknown label: rude"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, broken: str, told: str) -> None:
    (tmp_path / "xx.yaml").write_text(broken)
    with pytest.raises(Invalid, match=rf"xx\.yaml.*{told}"):
        load(tmp_path)


def test_a_folder_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no frames"):
        load(tmp_path)


def test_what_ships_has_about_as_many_harmful_frames_as_clean_ones_in_each_file() -> None:
    for frames in load(SHIPPED):
        clean = len(frames.frames[CLEAN])
        harmful = sum(len(texts) for label, texts in frames.frames.items() if label != CLEAN)
        assert 0.8 < clean / harmful < 1.25, frames.lang
        assert min(clean, harmful) >= 30, frames.lang


def test_no_list_of_words_that_is_used_often_tells_the_label() -> None:
    for frames in load(SHIPPED):
        holes = {True: Counter[str](), False: Counter[str]()}
        for label, texts in frames.frames.items():
            holes[label == CLEAN].update(hole for text in texts for hole in re.findall(r"\{(\w+)\}", text))
        for hole, total in (holes[True] + holes[False]).items():
            lean = abs(holes[True][hole] - holes[False][hole]) / total
            assert total < OFTEN or lean <= LEAN, f"{frames.lang}: {hole}"
