"""What the demo posts: the scenarios of the design, and corpus rows that no model was trained on."""

import json
import random
from pathlib import Path

import data
from domain.base import Frozen
from domain.vocabulary import ContentType
from gateway.schemas import ModerateRequest

HELD_OUT_WRITERS = frozenset({"w18", "w19"})
"""Writers whose rows are never trained on, tuned on, or used for a threshold."""

CORPUS = Path(data.__path__[0]) / "corpus" / "rows"


class Sample(Frozen):
    """One text, and what its writer says it is: `clean`, `borderline` or `violation`."""

    id: str
    text: str
    content_type: ContentType
    label: str

    def request(self) -> ModerateRequest:
        """The text as an app would post it."""
        return ModerateRequest(
            content=self.text, user_id=f"user-{self.id}", content_id=self.id, content_type=self.content_type
        )


def _scenario(number: int, text: str, content_type: ContentType = ContentType.MESSAGE) -> Sample:
    return Sample(id=f"scenario-{number}", text=text, content_type=content_type, label="scenario")


SCENARIOS: tuple[Sample, ...] = (
    _scenario(
        1,
        "Hey beautiful! I'm a crypto trader making $10k daily. Can we move this to WhatsApp? I want to share my "
        "investment strategy with you.",
    ),
    _scenario(
        2,
        "I can't believe you haven't responded yet. This is really frustrating. I've been nothing but nice to you "
        "and you just ignore me like I don't matter.",
    ),
    _scenario(
        3,
        "Hi! I saw we both love hiking and photography. Have you explored any trails in the area recently?",
    ),
    _scenario(4, "I love hiking! What trails do you recommend?"),
    _scenario(5, "Send me money on WhatsApp for crypto investment!"),
    _scenario(6, "I've been investing in crypto and doing well..."),
    _scenario(7, "You're frustrating me by not responding..."),
    _scenario(8, "I'm a successful entrepreneur traveling the world", ContentType.BIO),
)
"""The three worked scenarios and the five examples by confidence level of the founding architecture."""


def held_out(count: int, seed: int = 7) -> list[Sample]:
    """`count` corpus rows by writers that no training has seen, shuffled the same way each time."""
    rows = [
        json.loads(line)
        for writer in sorted(HELD_OUT_WRITERS)
        for line in (CORPUS / f"{writer}.jsonl").read_text("utf-8").splitlines()
    ]
    random.Random(seed).shuffle(rows)
    return [
        Sample(
            id=row["id"],
            text=row["text"],
            content_type=ContentType(row["kind"]),
            label="clean" if row["policy"] == "clean" else "borderline" if row["borderline"] else "violation",
        )
        for row in rows[:count]
    ]
