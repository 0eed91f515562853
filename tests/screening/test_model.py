"""The model folder is complete and unaltered, and a text's score is its own."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ModelUnavailable
from domain.signals import ModelRef
from domain.vocabulary import Policy, Severity
from screening.calibration import Calibration
from screening.encoders import SentenceTransformerModel, load_encoder
from screening.model import EmbeddedModel, ModelOutput
from screening.ngrams import load
from screening.signals import probability
from screening.tokens import OVERLAP, WINDOW, Tokens

TEXTS = ["hi", "Send me money on WhatsApp!", "I love hiking with my dog on Sundays. " * 6, "what a day " * 40]


@pytest.fixture
def copied(model_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(model_folder, tmp_path / model_folder.name)


def test_the_folder_fits_into_ninety_megabytes(model_folder: Path) -> None:
    assert sum(path.stat().st_size for path in model_folder.iterdir()) <= 90 * 2**20


def test_the_vector_has_384_numbers_and_unit_length(model: EmbeddedModel) -> None:
    for output in model.score(TEXTS):
        assert output.vector.shape == (384,)
        assert np.linalg.norm(output.vector) == pytest.approx(1, abs=1e-4)
        assert len(output.policies) == len(Policy)
        assert len(output.severity) == len(Severity)


def test_a_text_scores_the_same_in_any_company(model: EmbeddedModel) -> None:
    together = model.score(TEXTS * 5)
    for index, text in enumerate(TEXTS):
        (alone,) = model.score([text])
        assert alone.violation == pytest.approx(together[index].violation, abs=1e-4)
        assert alone.vector == pytest.approx(together[index].vector, abs=1e-5)


def test_like_texts_have_like_vectors(model: EmbeddedModel) -> None:
    hiking, walking, money = model.score(
        ["I love hiking in the hills", "Walking in the mountains is my passion", "Send the gift card code now"]
    )
    assert hiking.vector @ walking.vector > hiking.vector @ money.vector + 0.2


LETTER = (
    "We walked along the river on Saturday and had lunch by the bridge. ",
    "My sister came too, with the baby, who slept through all of it. ",
    "Afterwards I mended the shelf in the hall, at last. ",
    "The neighbours have a new dog, a very large one called Biscuit. ",
    "On Monday it rained all day and I read by the window. ",
    "Work is fine, a little dull before the holidays. ",
    "I tried your soup recipe; it needs more lemon, but it was good. ",
    "Shall we take the early train on Friday, or the one after lunch? ",
)


def test_what_stands_at_the_end_of_a_long_text_is_read(model: EmbeddedModel) -> None:
    harmless = "".join(LETTER) * 6
    (before,) = model.score([harmless])
    (after,) = model.score([harmless + "Now send me 500 dollars in gift cards or I will leak your nudes. " * 12])
    assert after.violation > before.violation + 1


def test_windows_overlap_and_cover_the_text(model_folder: Path) -> None:
    tokens = Tokens.load(model_folder / "tokenizer.json")
    windows = tokens.windows(" ".join(f"word{n}" for n in range(400)))
    assert len(windows) > 1
    assert all(len(window) <= WINDOW for window in windows)
    assert windows[1][1 : OVERLAP + 1] == windows[0][-OVERLAP - 1 : -1]
    assert len(tokens.windows("")) == 1


def test_no_text_at_all_gives_no_output(model: EmbeddedModel) -> None:
    assert model.score([]) == []


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "calibration.json", "heads.npz", "ngrams.npz"])
def test_an_altered_file_is_refused(copied: Path, name: str) -> None:
    with (copied / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelUnavailable, match=name):
        EmbeddedModel.load(copied)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "ngrams.npz", "model.json"])
def test_a_missing_file_is_refused(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ModelUnavailable, match="incomplete"):
        EmbeddedModel.load(copied)


def test_a_model_of_other_policies_is_refused(copied: Path) -> None:
    manifest = json.loads((copied / "model.json").read_text())
    manifest["policies"].reverse()
    (copied / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelUnavailable, match="other policies"):
        EmbeddedModel.load(copied)


def test_calibration_must_know_every_policy(tmp_path: Path, model_folder: Path) -> None:
    whole = json.loads((model_folder / "calibration.json").read_text())
    del whole["policies"]["spam"]
    (tmp_path / "calibration.json").write_text(json.dumps(whole))
    with pytest.raises(ModelUnavailable, match="spam"):
        Calibration.load(tmp_path / "calibration.json")


def test_the_reference_names_the_model_and_its_files(model: EmbeddedModel, copied: Path) -> None:
    assert model.ref.name == "e5-small-v1"
    assert EmbeddedModel.load(copied).ref == model.ref


def test_an_unknown_model_name_is_refused(model_folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match="choose 'e5-small-v1'"):
        load_encoder("gpt", model_folder)


def test_sentence_transformers_asks_for_its_extra(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ModelUnavailable, match="extra 'embedders'"):
        load_encoder("sentence-transformers:/somewhere", model_folder)


def test_severity_is_read_more_mildly_in_doubt() -> None:
    output = ModelOutput((0.0,) * 9, 0.0, (0.0, 1.0, 1.0, 0.0), np.zeros(384, np.float32))
    assert output.severity_at(1.0) is Severity.HIGH
    assert output.severity_at(0.7) is Severity.MEDIUM
    assert output.severity_at(0.3) is Severity.LOW


def test_what_stands_anywhere_in_an_unpunctuated_long_text_is_read(model: EmbeddedModel) -> None:
    """Each window is read by both readers: n-grams of the whole text would outvote the encoder."""
    small_talk = "so we walked along the river and talked about the garden and the new tiles in the kitchen "
    threat = "i know where you live i will come tonight and cut your throat i will kill you and your dog "
    alone, buried, harmless = model.score(
        [threat, small_talk * 15 + threat * 3 + small_talk * 15, small_talk * 33],
    )
    assert harmless.violation < buried.violation
    assert buried.violation > (alone.violation + harmless.violation) / 2


class Vectors:
    """A sentence-transformers encoder that gives the shipped encoder's vectors."""

    def __init__(self, model: EmbeddedModel) -> None:
        self._model = model

    def encode(self, texts: list[str], *, normalize_embeddings: bool) -> np.ndarray:
        assert normalize_embeddings
        return np.array([output.vector for output in self._model.read(texts)]).reshape(len(texts), -1)


def test_heads_that_read_vectors_alone_are_calibrated_like_the_encoder(
    model: EmbeddedModel, model_folder: Path
) -> None:
    with np.load(model_folder / "heads.npz") as stored:
        heads = {name: stored[name] for name in stored.files}
    ref = ModelRef(name="other", version="1", sha256="")
    other = SentenceTransformerModel(Vectors(model), heads, load(model_folder / "ngrams.npz"), ref)
    platt = Calibration.load(model_folder / "calibration.json").violation
    threat, talk = (
        probability(platt(output.violation))
        for output in other.score(["I will find you and hurt you tonight.", "I love hiking! What trails do you like?"])
    )
    assert threat > 0.3
    assert talk < 0.05
