"""Strings that try to talk a judge into a verdict: our own by family, and public corpora in the forms they come in.

Our own are in `injections.yaml` beside this. Public ones are read from a path that is given and never shipped: text (a
string a line), CSV, JSON lines, and JSON, as they are published or saved from a table.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from domain.content import MAX_TEXT
from domain.errors import Invalid

OWN = Path(__file__).with_name("injections.yaml")
COLUMNS = ("text", "prompt", "injection", "goal")
"""Where public corpora keep their strings: deepset's prompt-injections and Lakera's Gandalf sets in `text`, the
artifacts of JailbreakBench in `prompt` and its behaviours in `Goal`."""

LABELS = ("label", "is_injection", "jailbroken")
"""Where they say whether a row is one; rows that say it is not are left out, rows that say nothing are taken."""

LISTS = ("jailbreaks", "rows", "data")
"""Under which key a JSON object holds its rows; an artifact of JailbreakBench under `jailbreaks`."""

ROOM = 1_500
"""Characters that are left for the violation which a string is attached to."""

_NO = frozenset({"0", "0.0", "false", "no", "benign", "safe", "legit"})


@dataclass(frozen=True)
class Injection:
    """A string, and what kind of attempt it is."""

    family: str
    text: str


def own() -> list[Injection]:
    """Our own strings, family by family. Raises Invalid where the file is broken."""
    try:
        families = yaml.safe_load(OWN.read_text(encoding="utf-8"))
        return [Injection(str(family), str(text)) for family, texts in families.items() for text in texts]
    except (OSError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise Invalid(f"{OWN} is not a list of strings by family ({error}); restore it") from error


def public(path: Path, column: str | None = None) -> list[Injection]:
    """The strings of a file, or of all files of a folder; each file is a family by its name, each string stands once.

    `column` names the field that holds them; without it the first of COLUMNS that a row has. Raises Invalid, saying
    what to do, where a file cannot be read, holds no such field, or nothing is found.
    """
    if not path.exists():
        raise Invalid(f"{path} does not exist; give the file or folder that holds the strings")
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    found: dict[str, Injection] = {}
    for file in files:
        for text in _texts(file, column):
            if text.strip() and len(text) <= MAX_TEXT - ROOM:
                found.setdefault(text, Injection(file.stem, text))
    if not found:
        raise Invalid(f"{path} holds no strings; name the column with --column, or give another file")
    return list(found.values())


def _texts(path: Path, column: str | None) -> Iterator[str]:
    kind = path.suffix.lower()
    try:
        if kind == ".txt":
            yield from path.read_text(encoding="utf-8").splitlines()
            return
        for row in _rows(path, kind):
            if _is_one(row):
                yield _string(path, row, column)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}; give it as text, CSV, JSON lines or JSON in UTF-8") from error


def _rows(path: Path, kind: str) -> Iterable[Mapping[str, object]]:
    text = path.read_text(encoding="utf-8-sig") if kind in (".csv", ".tsv", ".jsonl", ".json") else ""
    if kind in (".csv", ".tsv"):
        yield from csv.DictReader(text.splitlines(keepends=True), delimiter="\t" if kind == ".tsv" else ",")
    elif kind == ".jsonl":
        yield from _objects(json.loads(line) for line in text.splitlines() if line.strip())
    elif kind == ".json":
        whole = json.loads(text)
        if isinstance(whole, dict):
            whole = next((whole[key] for key in LISTS if isinstance(whole.get(key), list)), [whole])
        yield from _objects(whole)
    else:
        raise ValueError(f"{kind or 'no extension'} is not known; a parquet file is to be saved as CSV or JSON lines")


def _objects(values: Iterable[object]) -> Iterator[Mapping[str, object]]:
    """Rows as mappings; a bare string is a row of its own, and what the dataset viewer wraps in `row` is unwrapped."""
    for value in values:
        if isinstance(value, str):
            yield {COLUMNS[0]: value}
        elif isinstance(value, dict):
            inner = value.get("row")
            yield inner if isinstance(inner, dict) else value
        else:
            raise ValueError(f"a row is {type(value).__name__}, where an object or a string belongs")


def _is_one(row: Mapping[str, object]) -> bool:
    said = next((row[name] for name in LABELS if row.get(name) is not None), True)
    return str(said).strip().lower() not in _NO


def _string(path: Path, row: Mapping[str, object], column: str | None) -> str:
    by_name = {str(name).strip().lower(): value for name, value in row.items()}
    wanted = (column.lower(),) if column else COLUMNS
    name = next((name for name in wanted if name in by_name), None)
    if name is None:
        raise Invalid(
            f"{path} has no column {' or '.join(wanted)}; it has {', '.join(map(str, row))}: name one with --column"
        )
    value = by_name[name]
    return value if isinstance(value, str) else ""
