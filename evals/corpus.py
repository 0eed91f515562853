"""Reads our own labelled corpus: the rows of one part, as the split of the writers tells.

Which writer serves what is in `splits.yaml`, and the fields of a row are in `GUIDE.md`, both beside the rows.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from domain.errors import Invalid
from domain.vocabulary import ContentType, Policy, Severity
from evals.judging import Text
from screening.training.sources import CLEAN, writers


def rows(folder: Path, part: str) -> list[Text]:
    """The rows of the part `train`, `calibration` or `test`, in the order of their ids' files.

    Raises Invalid, naming the place, where the split or a row is broken or a writer of the part has no rows.
    """
    wanted = writers(folder, part)
    found = [row for path in sorted((folder / "rows").glob("*.jsonl")) for row in _read(path) if row.writer in wanted]
    if missing := [writer for writer in wanted if writer not in {row.writer for row in found}]:
        raise Invalid(
            f"{folder / 'rows'} holds no rows by {', '.join(missing)}, who belong to the part '{part}'; restore them, "
            f"or take them out of {folder / 'splits.yaml'}"
        )
    return found


def hard(folder: Path) -> list[Text]:
    """The hard set, which belongs to no part: nothing is trained, tuned or fitted on it. Raises Invalid."""
    paths = sorted((folder / "hard").glob("*.jsonl"))
    if not paths:
        raise Invalid(f"{folder / 'hard'} holds no rows; restore the hard set, or give the whole corpus")
    return [row for path in paths for row in _read(path)]


def _read(path: Path) -> Iterator[Text]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            yield _text(json.loads(line))
        except (KeyError, ValueError, TypeError) as error:
            raise Invalid(
                f"{path}, line {number}: not a corpus row: {error!r}; see GUIDE.md beside the rows"
            ) from error


def _text(row: Mapping[str, object]) -> Text:
    label, also, second = str(row["policy"]), row.get("also"), row.get("second")
    further = also if isinstance(also, list) else []
    labels = frozenset(str(Policy(name)) for name in (label, *further)) if label != CLEAN else frozenset()
    return Text(
        id=str(row["id"]),
        text=str(row["text"]),
        labels=labels,
        group=str(row["scenario"]),
        kind=ContentType(str(row["kind"])),
        lang=str(row["lang"]),
        severity=str(Severity(str(row["severity"]))) if row.get("severity") else None,
        borderline=row["borderline"] is True,
        hard=row["hard"] is True,
        agreed=not isinstance(second, dict) or (second["policy"] == CLEAN) == (label == CLEAN),
        writer=str(row["writer"]),
    )
