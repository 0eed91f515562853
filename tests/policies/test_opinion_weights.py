"""The file of fitted weights: what is in it holds, and what is broken stops the start with what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import PolicyFileError
from domain.opinion import Specialist
from policies.consulting import OpinionWeights
from policies.loader import load
from policies.opinion_weights import FittedWeights, JudgeWeights
from tests.policies.test_fuse import opinion

WEIGHTS = OpinionWeights(violates=(0.0, 0.5, 1.0, 1.5, 3.0), fine=(0.0, 0.0, 0.2, 1.0, 2.0))
JUDGE = JudgeWeights(model="m", prompt="p", specialist=Specialist.SCAM_DETECTIVE, outcomes=300, weights=WEIGHTS)


def written(folder: Path, *judges: dict[str, Any]) -> Path:
    path = folder / "opinions.json"
    path.write_text(json.dumps({"judges": judges}))
    return path


def test_what_was_written_is_read_with_the_policies(tmp_path: Path) -> None:
    path = tmp_path / "opinions.json"
    path.write_text(FittedWeights(judges=(JUDGE,)).model_dump_json(indent=1))
    policies = load(None, path)
    assert policies.weight_of(opinion()) == -2.0
    assert policies.weights_version(opinion()) == FittedWeights(judges=(JUDGE,)).version
    assert load().fitted == FittedWeights()


def test_the_version_is_that_of_the_content() -> None:
    other = JUDGE.model_copy(update={"prompt": "p-2"})
    assert FittedWeights(judges=(JUDGE,)).version == FittedWeights(judges=(JUDGE,)).version
    assert FittedWeights(judges=(JUDGE,)).version != FittedWeights(judges=(other,)).version


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"violates": [0, 1, 2, 3, 5.1]}, "less than or equal to 5"),
        ({"violates": [2, 1, 2, 3, 4]}, "from least to most certain"),
        ({"fine": [0, 1, 2, 3]}, "from least to most certain"),
        ({"fine": [-1, 1, 2, 3, 4]}, "greater than or equal to 0"),
    ],
)
def test_weights_that_cannot_be_weights_are_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    judge = JUDGE.model_dump(mode="json")
    with pytest.raises(PolicyFileError, match=said):
        FittedWeights.load(written(tmp_path, {**judge, "weights": {**judge["weights"], **changed}}))


def test_what_is_missing_empty_or_twice_says_what_to_do(tmp_path: Path) -> None:
    judge = JUDGE.model_dump(mode="json")
    for path, said in (
        (tmp_path / "none.json", "calibrate-agents"),
        (written(tmp_path), "holds no weights"),
    ):
        with pytest.raises(PolicyFileError, match=said):
            load(None, path)
    with pytest.raises(PolicyFileError, match="stand twice"):
        load(None, written(tmp_path, judge, judge))
