"""Puts labelled texts through the real chain, screen, assess and decide, and keeps what became of each.

Every text is judged alone: an author without history, no memory, no language model. Nothing is stored.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from domain.assessment import Assessment
from domain.clock import now
from domain.content import Content
from domain.history import SubjectHistory
from domain.signals import Language
from domain.vocabulary import ContentType, DecisionKind
from policies.assess import assess
from policies.decide import decide
from policies.model import PolicySet
from screening.screen import Screener

APP = "evaluation"
TOGETHER = 64
"""Texts that are under way at once."""


@dataclass(frozen=True)
class Text:
    """One text and what is known to be true of it.

    `labels` are the policies it violates, none for a clean one. `group` is what the bootstrap resamples: rows of one
    scenario or template are not independent. `borderline`: careful people would split. `hard`: clean, but a keyword or
    a tone would fool a simple filter. `agreed`: a second reader, if there was one, put it blind on the same side.
    `slice` is a suite's own grouping.
    """

    id: str
    text: str
    labels: frozenset[str] = frozenset()
    group: str = ""
    kind: str = "message"
    lang: str = "en"
    severity: str | None = None
    borderline: bool = False
    hard: bool = False
    agreed: bool = True
    writer: str = ""
    slice: str = ""

    @property
    def violates(self) -> bool:
        """Whether it violates any policy."""
        return bool(self.labels)


@dataclass(frozen=True)
class Judged:
    """A text and what the chain made of it.

    `policy` is the verdict (None: clean) with its `confidence`; `violation` the probability of any violation and
    `scores` those of each policy, all in [0, 1].
    """

    text: Text
    kind: DecisionKind
    policy: str | None
    confidence: float
    violation: float
    scores: Mapping[str, float]
    severity: str | None
    language: Language


async def judge(texts: Sequence[Text], screener: Screener, policies: PolicySet, *, title: str) -> list[Judged]:
    """Screen, assess and decide each text, in the order given; the progress bar `title` goes to stderr.

    Raises ModelUnavailable when the model fails. Texts of like length go together, which saves padding.
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].text))
    found: dict[int, Judged] = {}
    with tqdm(total=len(texts), desc=title, unit="text", leave=False) as bar:
        for start in range(0, len(order), TOGETHER):
            chosen = order[start : start + TOGETHER]
            judged = await asyncio.gather(*(_judge(texts[i], screener, policies) for i in chosen))
            found |= zip(chosen, judged, strict=True)
            bar.update(len(chosen))
    return [found[i] for i in range(len(texts))]


async def _judge(text: Text, screener: Screener, policies: PolicySet) -> Judged:
    content = Content(
        app_id=APP, content_id=text.id, content_type=ContentType(text.kind), text=text.text, user_id=text.id
    )
    history = SubjectHistory(user_id=content.user_id)
    screening = await screener.screen(content)
    opinion: Assessment = assess(
        screening=screening,
        content=content,
        history=history,
        same_content=None,
        precedents=(),
        unavailable=(),
        policies=policies,
        now=now(),
    )
    return Judged(
        text=text,
        kind=decide(opinion, history, policies, APP).kind,
        policy=opinion.policy,
        confidence=opinion.confidence,
        violation=opinion.violation_probability,
        scores={str(policy): score for policy, score in opinion.scores.items()},
        severity=opinion.severity,
        language=screening.language,
    )
