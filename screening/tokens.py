"""Turns texts into token windows for the encoder, and windows into padded batches.

Long texts are covered by overlapping windows, so that nothing at the end of a text goes unread.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

WINDOW = 256
"""Tokens of one window, the two marks at its ends included."""

OVERLAP = 64
"""Tokens that neighbouring windows share, so that no phrase is cut in both."""


class Tokens:
    """A tokenizer that cuts texts into overlapping windows and pads nothing; safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(WINDOW, stride=OVERLAP)

    @classmethod
    def load(cls, path: Path) -> "Tokens":
        """The tokenizer of a model folder."""
        return cls(Tokenizer.from_file(str(path)))

    def save(self, path: Path) -> None:
        """Write the tokenizer as `load` reads it."""
        path.write_text(self._tokenizer.to_str(pretty=False), encoding="utf-8")

    def windows(self, text: str) -> list[list[int]]:
        """Token ids of each window of a text; at least one, even for an empty text."""
        encoding = self._tokenizer.encode(text)
        return [list(encoding.ids), *(list(more.ids) for more in encoding.overflowing)]

    def stretches(self, text: str) -> list[tuple[int, int]]:
        """Where each window stands in the text, in the order of `windows`."""
        encoding = self._tokenizer.encode(text)
        placed = (
            [span for span in window.offsets if span[0] < span[1]] for window in (encoding, *encoding.overflowing)
        )
        return [(spans[0][0], spans[-1][1]) if spans else (0, 0) for spans in placed]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token of the first window stands in the text, the space before it left out; (0, 0) for marks."""
        return [_trimmed(text, start, end) for start, end in self._tokenizer.encode(text).offsets]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    return start, end


def batch(windows: Sequence[Sequence[int]]) -> dict[str, NDArray[np.int64]]:
    """Pad windows to the longest of them: `input_ids` and `attention_mask`, each N x S."""
    width = max(len(window) for window in windows)
    ids = np.zeros((len(windows), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window
        mask[row, : len(window)] = 1
    return {"input_ids": ids, "attention_mask": mask}
