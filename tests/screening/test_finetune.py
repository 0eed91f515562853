"""Fine-tuning learns, keeps what is frozen, and the exported model computes what was trained."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

import onnxruntime
import torch

from domain.vocabulary import Severity
from screening.tokens import batch
from screening.training import e5, encoder, finetune
from screening.training.encoder import Head
from tests.screening import e5_file

pytestmark = pytest.mark.training

RECIPE = finetune.Recipe(epochs=6, batch=8, frozen=1, rate=1e-3, head_rate=1e-2, dropout=0.0, smoothing=0.1)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> e5.Published:
    path = tmp_path_factory.mktemp("weights") / "model.bin"
    e5_file.write(path)
    return e5.load(path)


def rows(published: e5.Published) -> list[finetune.Row]:
    """Texts with money are scams, the others clean."""
    tokenizer = published.tokenizer()
    made = []
    for number in range(64):
        scam = number % 2
        text = f"{'abcdefgh'[number % 8]} {'send money' if scam else 'hi'} {'xyz'[number % 3]}"
        target = [0.0] * 10
        target[3 if scam else 9] = 1.0
        severity = Severity.HIGH if scam else None
        made.append(finetune.Row(tokenizer.encode(text).ids, target, severity, 1.0, scam))
    return made


@pytest.fixture(scope="module")
def tuned(published: e5.Published) -> finetune.Tuned:
    width = encoder.DIMENSIONS * (published.layers + 1)
    heads = [Head(np.zeros((width, count), np.float32), np.zeros(count, np.float32)) for count in (10, 4)]
    return finetune.tune(published, *heads, [rows(published)] * RECIPE.epochs, RECIPE)


def said(tuned: finetune.Tuned, rows: list[finetune.Row]) -> np.ndarray:
    """Log-odds of a violation by the exported model."""
    model = encoder.build(tuned.model, None, tuned.classes, tuned.severities)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.array([session.run(["violation"], batch([list(row.ids)]))[0][0, 0] for row in rows])


def test_it_learns_what_can_be_learnt(published: e5.Published, tuned: finetune.Tuned) -> None:
    violation = said(tuned, rows(published))
    assert violation[1::2].min() > violation[::2].max()


def test_frozen_layers_and_words_stay_and_the_others_move(published: e5.Published, tuned: finetune.Tuned) -> None:
    name = "encoder.layer.{}.output.dense.weight"
    assert np.array_equal(tuned.model.tensors[name.format(0)], published.tensors[name.format(0)])
    assert not np.allclose(tuned.model.tensors[name.format(1)], published.tensors[name.format(1)])
    assert np.array_equal(tuned.model.words.levels, published.words.levels)


def test_the_exported_model_computes_what_was_trained(published: e5.Published, tuned: finetune.Tuned) -> None:
    network = finetune.Network(tuned.model, tuned.classes, tuned.severities, RECIPE).eval()
    some = rows(published)[:5]
    with torch.no_grad():
        ids, real = finetune._padded(some)
        share = torch.softmax(network(ids, real)[0], -1)[:, -1].numpy()
    assert said(tuned, some) == pytest.approx(np.log1p(-share) - np.log(share), abs=1e-3)


def test_the_same_seed_gives_the_same_model(published: e5.Published, tuned: finetune.Tuned) -> None:
    width = encoder.DIMENSIONS * (published.layers + 1)
    heads = [Head(np.zeros((width, count), np.float32), np.zeros(count, np.float32)) for count in (10, 4)]
    short = replace(RECIPE, epochs=1)
    one, two = (finetune.tune(published, *heads, [rows(published)], short) for _ in range(2))
    assert np.array_equal(one.classes.weight, two.classes.weight)
    assert not np.array_equal(one.classes.weight, tuned.classes.weight)
