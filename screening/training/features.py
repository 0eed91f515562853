"""Runs the quantised encoder over the training texts and keeps what it says on disk.

Heads are fitted on what the shipped int8 encoder computes, so that nothing shifts between fitting and use.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from domain.signals import ModelRef
from screening.model import EmbeddedModel, session_of
from screening.ngrams import NGrams
from screening.normalise import Normalised
from screening.tokens import Tokens, batch

Array = NDArray[np.float32]
BATCH = 16


def opened(folder: Path, ngrams: NGrams | None = None) -> EmbeddedModel:
    """The model in a folder that has no manifest yet; by the encoder alone, or as it will be served."""
    tokens, ref = Tokens.load(folder / "tokenizer.json"), ModelRef(name=folder.name, version="", sha256="")
    return EmbeddedModel(session_of(folder, threads=2), tokens, ref, space="", languages=(), ngrams=ngrams)


def outputs(model: EmbeddedModel, texts: Sequence[Normalised]) -> tuple[Array, Array, Array]:
    """What a model says of texts: `policies` N x 9 and `violation` N in log-odds, `severity` N x 4.

    As in the service, the form that speaks more of a violation counts.
    """
    forms = list(dict.fromkeys(form for text in texts for form in text.forms))
    known = dict(zip(forms, model.score(forms), strict=True))
    worse = [max((known[form] for form in text.forms), key=lambda o: o.violation) for text in texts]
    columns = ([o.policies for o in worse], [o.violation for o in worse], [o.severity for o in worse])
    policies, violation, severity = (np.array(column, dtype=np.float32) for column in columns)
    return policies, violation, severity


def compute(model: onnx.ModelProto, tokens: Tokens, texts: Sequence[str], cache: Path, threads: int = 2) -> Array:
    """Features of the first window of each text, N x F; read from `cache` where model and texts are the same."""
    serialised = model.SerializeToString()
    digest = hashlib.sha256(serialised)
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    stored = cache / f"{digest.hexdigest()[:32]}.npy"
    if stored.is_file():
        return np.asarray(np.load(stored), dtype=np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(serialised, options, providers=["CPUExecutionProvider"])
    windows = [tokens.windows(text)[0] for text in texts]
    order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
    width = session.get_outputs()[1].shape[1]
    made = np.zeros((len(texts), width), dtype=np.float32)
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        made[chosen] = session.run(["features"], batch([windows[i] for i in chosen]))[0]
    cache.mkdir(parents=True, exist_ok=True)
    np.save(stored, made)
    return made
