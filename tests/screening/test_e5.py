"""The published weights are read exactly, and every form of the encoder computes the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

import onnxruntime

from domain.errors import Invalid
from screening.tokens import Tokens, batch
from screening.training import e5, encoder, vocabulary
from screening.training.encoder import Head
from tests.screening import e5_file

TEXTS = ["hi", "send money", "hi hi send abc xyz money", ""]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.bin"


@pytest.fixture
def published(path: Path) -> e5.Published:
    e5_file.write(path)
    return e5.load(path)


@pytest.fixture
def tokens(published: e5.Published, tmp_path: Path) -> Tokens:
    published.tokenizer().save(str(tmp_path / "tokenizer.json"))
    return Tokens.load(tmp_path / "tokenizer.json")


def vectors(model: object, tokens: Tokens, names: tuple[str, ...] = ("vector",)) -> list[list[np.ndarray]]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])  # type: ignore[attr-defined]
    return [session.run(list(names), batch(tokens.windows(text))) for text in TEXTS]


def test_every_tensor_is_read_as_it_was_written(path: Path) -> None:
    written = e5_file.write(path)
    read = e5.load(path)
    rows = np.arange(len(e5_file.PIECES))
    assert read.words[rows] == pytest.approx(written["emb.word"])
    assert read.tensors["encoder.layer.1.output.dense.weight"] == pytest.approx(written["l1.fo.w"])
    assert read.tensors["encoder.layer.0.attention.self.key.bias"] == pytest.approx(written["l0.k.b"])
    assert [piece for piece, _ in read.pieces] == e5_file.PIECES
    assert (read.start, read.pad, read.end, read.unknown) == (0, 1, 2, 3)


def test_the_tokenizer_marks_both_ends_and_prefers_whole_pieces(published: e5.Published) -> None:
    assert published.tokenizer().encode("send  money ☃").tokens == ["<s>", "▁send", "▁money", "▁", "☃", "</s>"]


@pytest.mark.parametrize("content", [None, b"GGUF" + bytes(100)])
def test_another_file_is_refused(path: Path, content: bytes | None) -> None:
    if content:
        path.write_bytes(content)
    with pytest.raises(Invalid, match=r"model\.bin"):
        e5.load(path)


def test_a_smaller_vocabulary_changes_no_vector_of_what_it_keeps(
    published: e5.Published, tokens: Tokens, tmp_path: Path
) -> None:
    kept = [row for row, (piece, _) in enumerate(published.pieces) if piece not in ("漢", "▁việt", "j")]
    smaller = published.keep(kept)
    smaller.tokenizer().save(str(tmp_path / "smaller.json"))
    before = vectors(encoder.build(published, None), tokens)
    after = vectors(encoder.build(smaller, None), Tokens.load(tmp_path / "smaller.json"))
    for old, new in zip(before, after, strict=True):
        assert new[0] == pytest.approx(old[0], abs=1e-5)


def test_pieces_of_alphabets_that_are_not_served_go_unless_a_text_needs_them(published: e5.Published) -> None:
    kept = {published.pieces[row][0] for row in vocabulary.served(published.pieces, seen=())}
    assert {"▁send", "ж", "漢", "a", "▁"} <= kept
    assert not {"ữ", "▁việt"} & kept
    row = e5_file.PIECES.index("▁việt")
    assert row in vocabulary.served(published.pieces, seen=[row])


def test_eight_bit_arithmetic_stays_close_to_the_exact_model(published: e5.Published, tokens: Tokens) -> None:
    ranges = encoder.measure_ranges(published, tokens, TEXTS)
    exact, rounded = (vectors(encoder.build(published, r), tokens) for r in (None, ranges))
    for one, other in zip(exact, rounded, strict=True):
        assert float(one[0][0] @ other[0][0]) > 0.99


def test_fewer_layers_give_the_states_of_those_layers(published: e5.Published, tokens: Tokens) -> None:
    whole = vectors(encoder.build(published, None), tokens, ("features",))
    first = vectors(encoder.build(replace(published, layers=1), None), tokens, ("features",))
    for all_, some in zip(whole, first, strict=True):
        assert some[0] == pytest.approx(all_[0][:, : 2 * encoder.DIMENSIONS], abs=1e-5)


def test_what_tokens_add_sums_up_to_the_logits_and_memory_is_the_mapped_mean(
    published: e5.Published, tokens: Tokens
) -> None:
    dice = np.random.default_rng(1)
    width = encoder.DIMENSIONS * (published.layers + 1)
    classes, severities, memory = (
        Head(dice.normal(0, 0.1, (rows, count)).astype(np.float32), np.zeros(count, np.float32))
        for rows, count in ((width, 10), (width, 4), (encoder.DIMENSIONS, encoder.DIMENSIONS))
    )
    plain = vectors(encoder.build(published, None), tokens, ("features",))
    made = vectors(
        encoder.build(published, None, classes, severities, memory), tokens, ("shares", "severity", "vector")
    )
    for (features,), (shares, severity, vector) in zip(plain, made, strict=True):
        assert shares.sum(axis=1) == pytest.approx(features @ classes.weight, abs=1e-3)
        assert severity == pytest.approx(features @ severities.weight, abs=1e-3)
        mapped = features[:, -encoder.DIMENSIONS :] @ memory.weight
        assert vector == pytest.approx(mapped / np.linalg.norm(mapped), abs=1e-4)
