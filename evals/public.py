"""Reads the well-known public sets as their authors published them, and the normalised copies of them.

The format is told by the fields of the first row, never by the file's name. A row that cannot be what its format says
is an error with file and line; a blank text is passed over, and one longer than the service takes is cut. What the
authors' labels mean here, so that "any violation" can be measured (no set but our own speaks of our policies):

| set | its labels | our policies |
|---|---|---|
| OpenAI moderation (Markov et al. 2023) | S; S3 | inappropriate; inappropriate and age_verification |
| | H; H2 | hate; hate and threats |
| | V, V2; HR; SH | threats (also where violence is only shown); harassment; self_harm |
| ToxicChat (Lin et al. 2023) | toxicity | inappropriate (most is sexual); jailbreaking alone violates nothing |
| Jigsaw toxic comments (2018) | toxic, severe_toxic, obscene, insult | harassment |
| | threat; identity_hate | threats; hate |
| Civil Comments (Borkan et al. 2019) | target, toxicity | from .5: what else is from .5, or else harassment |
| | identity_attack; threat; sexual_explicit | hate; threats; inappropriate |
| HateCheck (Röttger et al. 2021, 2022), HatemojiCheck (Kirk et al. 2022) | hateful | hate |
| madlibs of unintended bias (Dixon et al. 2018) | BAD, toxic | harassment |
| Surge AI toxicity | Toxic | harassment |
| normalised: toxic, harassment | 1 | harassment |
| normalised: hate; threat; sexual | 1 | hate; threats; inappropriate |
| normalised: scam; spam; self_harm | 1 | scams; spam; self_harm |

A label that is missing is unknown. A row with unknown labels and no positive one is not known to be clean and is left
out, but for `unknown_as_clean`, as most published figures on OpenAI's set count it. The normalised copies hold only
what their authors labelled, so there a row is clean where a label is 0 and none is 1.
"""

import csv
import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO, cast

from domain.content import MAX_TEXT
from domain.errors import Invalid
from evals.formats import FORMATS, Format, Row
from evals.judging import Text


def load(path: Path, *, unknown_as_clean: bool = False) -> list[Text]:
    """The texts of one file: CSV, or one JSON object a line, plain or gzipped.

    Raises Invalid where the file cannot be read, its format is not known, or a row is broken.
    """
    try:
        with _opened(path) as file:
            rows = _json_rows(path, file) if ".jsonl" in path.name else _csv_rows(path, file)
            found = list(_texts(path, rows, unknown_as_clean=unknown_as_clean))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read ({error}); get it again") from error
    if not found:
        raise Invalid(f"{path} holds no labelled text; get it again")
    return found


def sample(texts: Sequence[Text], limit: int | None, *, seed: int = 0) -> list[Text]:
    """At most `limit` texts in their order, drawn so that language, slice and label keep their shares."""
    if limit is None or len(texts) <= limit:
        return list(texts)
    strata: dict[tuple[str, str, bool], list[int]] = {}
    for row, text in enumerate(texts):
        strata.setdefault((text.lang, text.slice, text.violates), []).append(row)
    dice = random.Random(seed)
    places: list[tuple[float, float, int]] = []
    for rows in strata.values():
        dice.shuffle(rows)
        places += [((rank + 0.5) / len(rows), dice.random(), row) for rank, row in enumerate(rows)]
    return [texts[row] for row in sorted(row for *_, row in sorted(places)[:limit])]


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _json_rows(path: Path, file: TextIO) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(file, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise Invalid(f"{path}, line {number}: not a JSON object ({error}); get the file again") from error
        if not isinstance(row, dict):
            raise Invalid(f"{path}, line {number}: not a JSON object; get the file again")
        yield number, row


def _csv_rows(path: Path, file: TextIO) -> Iterator[tuple[int, Row]]:
    reader = csv.DictReader(file, strict=True)
    line = 1
    try:
        for row in reader:
            line = reader.line_num
            if None in row or None in row.values():
                wanted = len(reader.fieldnames or ())
                raise Invalid(f"{path}, line {line}: not the {wanted} fields of the head; get the file again")
            yield line, row
    except csv.Error as error:
        raise Invalid(f"{path}, after line {line}: {error}; get the file again") from error


def _texts(path: Path, rows: Iterator[tuple[int, Row]], *, unknown_as_clean: bool) -> Iterator[Text]:
    shape: Format | None = None
    name = path.name.partition(".")[0]
    for number, row in rows:
        shape = shape or _format(path, row)
        try:
            text = shape.read(row, unknown_as_clean)
        except KeyError as error:
            raise Invalid(f"{path}, line {number}: the field {error} is missing; get the file again") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise Invalid(f"{path}, line {number}: {error}; get the file again") from error
        if text is not None and text.text.strip():
            whole = text.text.encode("utf-8", "replace").decode("utf-8")[:MAX_TEXT]
            key = text.id or f"{name}-{number}"
            yield replace(text, id=key, text=whole, group=text.group or key)


def _format(path: Path, row: Row) -> Format:
    for known in FORMATS:
        if known.needs <= row.keys():
            return known
    raise Invalid(
        f"{path} is in no known format; its fields are {', '.join(map(str, row))}. Known are "
        + "; ".join(", ".join(sorted(known.needs)) for known in FORMATS)
    )
