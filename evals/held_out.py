"""Which public texts may be measured on: those of sets at hand that training does not read, one by one."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from domain.errors import Invalid
from evals.catalogue import SETS, how_to_get, is_at_hand, texts
from evals.judging import Text
from evals.public import load
from screening.training.sources import PUBLIC


def why_not(name: str, datasets: Path | None) -> str | None:
    """Why a set cannot be measured on, in words for a report; None where it can."""
    known = SETS[name]
    if any(known.normalised == used.name for used in PUBLIC):
        return "training reads it"
    if not is_at_hand(known, datasets):
        return f"not at hand: {how_to_get(known)}"
    return None


def held_out(name: str, datasets: Path | None, *, unknown_as_clean: bool = False) -> list[Text]:
    """The texts of a set without those that also stand in a set that training reads, where that one is at hand too.

    Raises Invalid where the set cannot be measured on (`why_not`) or cannot be read.
    """
    if why := why_not(name, datasets):
        raise Invalid(f"{SETS[name].title} cannot be measured on: {why}")
    found = texts(name, datasets, unknown_as_clean=unknown_as_clean)
    known = also_read_by_training(found, datasets)
    return [text for text in found if text.id not in known]


def also_read_by_training(found: Iterable[Text], datasets: Path | None) -> frozenset[str]:
    """Ids of the texts that stand, but for case and spaces, in a set that training reads and that is at hand."""
    seen = _read_by_training(datasets) if datasets else frozenset()
    return frozenset(text.id for text in found if _bare(text.text) in seen)


@lru_cache(maxsize=1)
def _read_by_training(datasets: Path) -> frozenset[str]:
    paths = [datasets / f"{used.name}.jsonl.gz" for used in PUBLIC]
    return frozenset(_bare(text.text) for path in paths if path.is_file() for text in load(path, unknown_as_clean=True))


def _bare(text: str) -> str:
    return " ".join(text.casefold().split())
