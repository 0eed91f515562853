"""What other moderation makes of texts: two libraries that run here, and two services that are asked over the network.

A library is used where it is installed (the extra `peers`), a service where its key is in the environment. Texts are
sent to a service only then, and Perspective is asked to store none. Perspective answers until the end of 2026.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import httpx2
import numpy as np
from pydantic import BaseModel, ValidationError
from tqdm import tqdm

from domain.errors import ToolUnavailable
from evals.figures import Bools, Floats

OPENAI_KEY, PERSPECTIVE_KEY = "OPENAI_API_KEY", "PERSPECTIVE_API_KEY"
INSTALL = "pip install -e '.[peers]'"
TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
"""Seconds."""

TRIES = 6
LONGEST_WAIT_S = 120.0
PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""

Pause = Callable[[float], Awaitable[None]]
Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True)
class Opinions:
    """Of N texts: a score, higher for worse, and whether the peer flags the text, by the cut that its makers name."""

    scores: Floats
    flagged: Bools


class Peer(Protocol):
    """`name` as tables show it; `cut` says when it flags."""

    name: str
    cut: str

    async def read(self, texts: Sequence[str], *, title: str) -> Opinions:
        """The opinions on texts, in order. Raises ToolUnavailable where the peer does not answer as it should."""
        ...


def at_hand(environment: Mapping[str, str]) -> tuple[list[Peer], list[tuple[str, str]]]:
    """The peers that can be asked, and of the others the name and how to have them."""
    peers: list[Peer] = []
    missing: list[tuple[str, str]] = []
    for name, package, make in (
        ("alt-profanity-check", "profanity_check", ProfanityCheck),
        ("VADER", "vaderSentiment.vaderSentiment", Vader),
    ):
        try:
            peers.append(make(importlib.import_module(package)))
        except ImportError:
            missing.append((name, f"not installed: {INSTALL}"))
    if key := environment.get(OPENAI_KEY):
        peers.append(OpenAIModeration(key))
    else:
        missing.append(("OpenAI's moderation API", f"no key: set {OPENAI_KEY}; the texts are then sent to OpenAI"))
    if key := environment.get(PERSPECTIVE_KEY):
        peers.append(Perspective(key))
    else:
        missing.append(("Perspective API", f"no key: set {PERSPECTIVE_KEY}; the texts are then sent to Google"))
    return peers, missing


class ProfanityCheck:
    """alt-profanity-check: a linear SVM on bags of words, trained on the Davidson tweets and the Jigsaw comments."""

    name, cut = "alt-profanity-check", "probability from .5"

    def __init__(self, library: "_ProfanityLibrary") -> None:
        self._library = library

    async def read(self, texts: Sequence[str], *, title: str) -> Opinions:
        scores = np.asarray(await asyncio.to_thread(self._library.predict_prob, list(texts)), dtype=np.float64)
        return Opinions(scores, scores >= 0.5)


class Vader:
    """VADER: sentiment by a lexicon and rules (Hutto and Gilbert 2014); the score is how negative a text is."""

    name, cut = "VADER", "negative: compound up to -.05"

    def __init__(self, library: "_VaderLibrary") -> None:
        self._analyser = library.SentimentIntensityAnalyzer()

    async def read(self, texts: Sequence[str], *, title: str) -> Opinions:
        def score() -> Floats:
            return np.array([-self._analyser.polarity_scores(text)["compound"] for text in texts], dtype=np.float64)

        scores = await asyncio.to_thread(score)
        return Opinions(scores, scores >= 0.05)


class OpenAIModeration:
    """OpenAI's moderation endpoint; the score is that of the likeliest category."""

    name, cut = "OpenAI moderation", "its field `flagged`"
    URL = "https://api.openai.com/v1/moderations"
    MODEL = "omni-moderation-latest"
    TOGETHER = 16

    def __init__(
        self, key: str, *, transport: httpx2.AsyncBaseTransport | None = None, pause: Pause = asyncio.sleep
    ) -> None:
        self._headers = {"Authorization": f"Bearer {key}"}
        self._transport, self._pause = transport, pause

    async def read(self, texts: Sequence[str], *, title: str) -> Opinions:
        found: list[_Moderation] = []
        async with httpx2.AsyncClient(timeout=TIMEOUT, headers=self._headers, transport=self._transport) as http:
            for start in tqdm(range(0, len(texts), self.TOGETHER), desc=f"{title} {self.name}", leave=False):
                asked = list(texts[start : start + self.TOGETHER])
                body = {"model": self.MODEL, "input": asked}
                answer = await _ask(http, self.name, self.URL, body, _Moderations, self._pause)
                if len(answer.results) != len(asked):
                    raise ToolUnavailable(self.name, f"{len(answer.results)} results for {len(asked)} texts")
                found += answer.results
        return Opinions(
            np.array([max(result.category_scores.values(), default=0.0) for result in found], dtype=np.float64),
            np.array([result.flagged for result in found], dtype=bool),
        )


class Perspective:
    """Google Jigsaw's Perspective API; the score is that of the likeliest attribute."""

    name, cut = "Perspective", "likeliest attribute from .7"
    URL = "https://commentanalyzer.googleapis.com/v1alpha1/comments:analyze"
    ATTRIBUTES = ("TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "THREAT")
    BYTES = 3_000
    """The service refuses longer texts, so their beginning is sent."""

    INTERVAL_S = 1.0
    """The quota that every key has: one text a second."""

    def __init__(
        self, key: str, *, transport: httpx2.AsyncBaseTransport | None = None, pause: Pause = asyncio.sleep
    ) -> None:
        self._headers = {"X-Goog-Api-Key": key}
        self._transport, self._pause = transport, pause

    async def read(self, texts: Sequence[str], *, title: str) -> Opinions:
        scores = []
        async with httpx2.AsyncClient(timeout=TIMEOUT, headers=self._headers, transport=self._transport) as http:
            for text in tqdm(texts, desc=f"{title} {self.name}", leave=False):
                answer = await _ask(http, self.name, self.URL, self._body(text), _Analysis, self._pause)
                scores.append(max((a.summaryScore.value for a in answer.attributeScores.values()), default=0.0))
                await self._pause(self.INTERVAL_S)
        found = np.array(scores, dtype=np.float64)
        return Opinions(found, found >= 0.7)

    def _body(self, text: str) -> dict[str, object]:
        return {
            "comment": {"text": text.encode()[: self.BYTES].decode(errors="ignore"), "type": "PLAIN_TEXT"},
            "languages": ["en"],
            "requestedAttributes": {name: {} for name in self.ATTRIBUTES},
            "doNotStore": True,
        }


class _ProfanityLibrary(Protocol):
    def predict_prob(self, texts: list[str]) -> Sequence[float]: ...


class _VaderAnalyser(Protocol):
    def polarity_scores(self, text: str) -> Mapping[str, float]: ...


class _VaderLibrary(Protocol):
    def SentimentIntensityAnalyzer(self) -> _VaderAnalyser: ...


class _Moderation(BaseModel):
    flagged: bool
    category_scores: dict[str, float]


class _Moderations(BaseModel):
    results: list[_Moderation]


class _Score(BaseModel):
    value: float


class _Attribute(BaseModel):
    summaryScore: _Score


class _Analysis(BaseModel):
    attributeScores: dict[str, _Attribute]


async def _ask(
    http: httpx2.AsyncClient, name: str, url: str, body: Mapping[str, object], shape: type[Answer], pause: Pause
) -> Answer:
    """One answer; what may pass is asked again, after as long as the service says or twice as long as before."""
    why = ""
    for attempt in range(TRIES):
        wait = 2.0**attempt
        try:
            response = await http.post(url, json=body)
        except httpx2.TransportError as error:
            why = f"cannot be reached ({type(error).__name__}: {error})"
        else:
            if response.is_success:
                return _parsed(response, name, shape)
            why = f"answers {response.status_code}"
            if response.status_code not in PASSING:
                raise ToolUnavailable(name, f"{why}: {response.text[:300]}; check its key and its terms")
            told = response.headers.get("retry-after", "")
            wait = float(told) if told.replace(".", "", 1).isdigit() else wait
        if attempt + 1 < TRIES:
            await pause(min(wait, LONGEST_WAIT_S))
    raise ToolUnavailable(name, f"{why}, {TRIES} times; try again later, or with fewer texts (--limit)")


def _parsed(response: httpx2.Response, name: str, shape: type[Answer]) -> Answer:
    try:
        return shape.model_validate_json(response.content)
    except ValidationError as error:
        raise ToolUnavailable(name, f"does not answer as documented: {error}") from error
