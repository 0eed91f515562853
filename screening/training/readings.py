"""Our own labels of public texts: read by our guide, kept by digest, so that no public text is shipped.

The authors of public sets asked other questions than our guidelines do (profanity among friends is "offensive" there
and clean here), so a text that was read anew counts like one of ours, and with our label.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from domain.errors import Invalid

FILE = "public_labels.jsonl"
Reading = Mapping[str, object]


def digest(text: str) -> str:
    """By which a text is found again: the first 24 hex digits of the SHA-256 of its words, single spaces between."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:24]


def load(corpus: Path) -> dict[str, Reading]:
    """The labels in a corpus' folder, by digest; none where it has no such file. Raises Invalid for a broken line."""
    path = corpus / FILE
    if not path.is_file():
        return {}
    found: dict[str, Reading] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            found[str(row["sha256"])] = row
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"{path.name}:{number}: not a label of a public text: {error!r}") from error
    return found
