"""What asking a language model costs: calls, tokens, answers that were known already, and money, by the whole service.

The messages go through the real graph over an empty database; the questions go by the real client to a server on this
machine that answers as a scripted judge would and counts their tokens.
"""

import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session
from tqdm import tqdm

from agents.models import MILLION
from cupidsshield.bootstrap import open_house
from cupidsshield.panel import prompts_for
from cupidsshield.samples import SCENARIOS, held_out
from cupidsshield.settings import read_settings
from data import cases
from domain.actor import system
from domain.case import Case
from domain.content import Content
from domain.errors import Invalid
from domain.opinion import Consultation, Need, Opinion, Reading, Specialist, Usage
from domain.submission import Submission
from domain.vocabulary import ContentType, Policy
from evals.answering import TOKENIZER, Asked, answering
from evals.context import Context
from evals.corpus import rows
from evals.judging import APP, Text
from evals.report import Figure, Report, Table
from evals.scripted import Judge

DEMO_MESSAGES = 300
RARE = 0.05
COPIES = 6
COPIED_CLEAN, COPIED_BAD = 22, 4
ACCURACY, UNSURE = 0.8, 0.2
PATIENCE_S = 60.0
PRICES = ((0.15, 0.60), (0.40, 1.60), (2.50, 10.00))
"""Of a million tokens, in and out. Assumptions to reckon with, nobody's list of prices."""

MARKED = re.compile(r"<<<(\w+)\n(.*?)\n\1>>>", re.DOTALL)
REASONS = {
    Reading.VIOLATES: "The text does what the guideline describes: the words that are quoted have one plain meaning, "
    "and nothing else in it or in the author's record speaks for a harmless one. Several warning signs fit each other, "
    "so the severity follows from the examples that the guideline gives.",
    Reading.FINE: "The text is an ordinary message between people who get to know each other. It asks for nothing that "
    "the guideline forbids, nobody is pressed or threatened, and the words that might look like a sign have a plain "
    "and harmless meaning in this sentence.",
    Reading.UNCLEAR: "The text could be meant well or not, and its words alone do not tell. It stands between what the "
    "guideline describes and ordinary talk, and only what the author wrote before, or how people decided about texts "
    "like this one, could tell which of both it is.",
}
WHAT = (
    "Two streams through the whole service, one message after another, over an empty database and memory. The demo's "
    "is what `cupidsshield demo` posts: {demo} messages, {demo_bad} of them labelled as violations, which no traffic "
    "has. The ordinary one has {ordinary} messages by the writers of the calibration part, borderline ones left out: "
    "{bad} violations ({rate:.1%}), and clean texts of which {hard:.0%} were written to be hard, harder than traffic "
    "is. As in traffic, some texts are sent again by other people: {clean_copies} clean texts and {bad_copies} scams "
    "or adverts by {copies} people each, {repeats} messages that repeat an earlier one. A text is asked about when "
    "policy says so; each question goes by the real client to a server of OpenAI's protocol on this machine, whose "
    "scripted judge is right in {accuracy:.0%} and in {unsure:.0%} unsure and asks for more evidence, which makes "
    "further rounds; where there is no more, the question is the same and the cache answers it, as it does for the "
    "same text by another. It answers at once, and an answer has {out:.0f} tokens on average. Tokens are counted with "
    "{tokenizer} over the messages and the form as they were sent. Prices are assumptions, in any currency, per "
    "million tokens in / out."
)


@dataclass(frozen=True)
class Spent:
    """What a stream came to: how many messages and different texts it has, what was asked about them, and how many of
    the different texts were asked about."""

    name: str
    messages: int
    texts: int
    texts_asked: int
    consultations: tuple[Consultation, ...]

    @property
    def usage(self) -> Usage:
        """All that the records say was used."""
        return sum((each.usage for each in self.consultations), start=Usage())

    def cost(self, price_in: float, price_out: float) -> float:
        """What that costs at prices of a million tokens."""
        return (self.usage.input_tokens * price_in + self.usage.output_tokens * price_out) / MILLION


async def run(context: Context) -> Report:
    """Send both streams and count. Raises Invalid where the corpus or the tokenizer is not at hand."""
    calibration = [text for text in rows(context.corpus, "calibration") if not text.borderline]
    ordinary = context.some(_ordinary(calibration))
    known = {text.text: text for text in (*calibration, *rows(context.corpus, "test"))}
    demo = [sample.request().to_content(APP) for sample in context.some((*SCENARIOS, *held_out(DEMO_MESSAGES)))]
    spent = [
        await _sent("ordinary traffic", ordinary, known, context),
        await _sent("the demo's messages", demo, known, context),
    ]
    usage = spent[0].usage
    texts = [known[content.text] for content in ordinary]
    clean = [text for text in texts if not text.violates]
    bad = len(texts) - len(clean)
    return Report(
        suite="cost",
        title="What asking a language model costs",
        what=WHAT.format(
            demo=len(demo),
            demo_bad=sum(known[content.text].violates for content in demo if content.text in known),
            hard=sum(text.hard for text in clean) / max(len(clean), 1),
            ordinary=len(ordinary),
            bad=bad,
            rate=bad / len(ordinary),
            clean_copies=COPIED_CLEAN,
            bad_copies=COPIED_BAD,
            copies=COPIES,
            repeats=len(texts) - len({text.text for text in texts}),
            accuracy=ACCURACY,
            unsure=UNSURE,
            out=usage.output_tokens / max(usage.calls, 1),
            tokenizer=TOKENIZER,
        ),
        figures=tuple(figure for each in spent for figure in _figures(each)),
        tables=(_money(spent), _rounds(spent), _asked_whom(spent)),
        model=context.named,
        sources=(
            "our own corpus, the writers of the calibration and the test part (data/corpus/GUIDE.md, splits.yaml)",
        ),
    )


def _ordinary(texts: Sequence[Text]) -> list[Content]:
    """Each clean text once, some of them and some scams and adverts by several people, violations at their share."""
    chance = random.Random(7)
    clean = [text for text in texts if not text.violates]
    bad = [text for text in texts if text.violates]
    spam = [text for text in bad if text.labels & {Policy.SPAM, Policy.SCAMS}]
    if len(clean) < COPIED_CLEAN or len(spam) < COPIED_BAD:
        raise Invalid("the calibration part has too few texts for a stream of traffic; give the whole corpus")
    copied = [*chance.sample(clean, COPIED_CLEAN), *chance.sample(spam, COPIED_BAD)]
    again = [text for text in copied for _ in range(COPIES - 1)]
    clean_count = len(clean) + COPIED_CLEAN * (COPIES - 1)
    bad_count = round(clean_count * RARE / (1 - RARE)) - COPIED_BAD * COPIES
    others = chance.sample([text for text in bad if text not in copied], max(bad_count, 0))
    sent = [*clean, *copied[COPIED_CLEAN:], *again, *others]
    chance.shuffle(sent)
    return [
        Content(
            app_id=APP,
            content_id=f"{text.id}-{place}",
            content_type=ContentType(text.kind),
            text=text.text,
            user_id=f"user-{place}",
        )
        for place, text in enumerate(sent)
    ]


async def _sent(name: str, contents: Sequence[Content], known: dict[str, Text], context: Context) -> Spent:
    """Post them to a service of its own, and gather what its records say was asked."""
    who_has = {prompt.text: who for who in Specialist if (prompt := prompts_for(context.policies).of(who))}

    def says(asked: Asked) -> str:
        found = MARKED.search(asked.material)
        assert found is not None, "what is to be judged is marked off"
        text = known.get(found[2], Text(id=found[2], text=found[2]))
        return _answer(who_has[asked.instructions], text)

    with tempfile.TemporaryDirectory() as folder, answering(says) as (url, counted):
        (price_in, price_out), *_ = PRICES
        settings = read_settings(
            data_dir=Path(folder),
            agents_model="openai:scripted",
            agents_url=url,
            agents_price_in=price_in,
            agents_price_out=price_out,
            deadline_s=PATIENCE_S + 1,
            agents_timeout_s=PATIENCE_S,
            agents_deadline_s=PATIENCE_S,
            log_level="ERROR",
        )
        asked: list[Consultation] = []
        texts = set()
        async with open_house(settings) as house:
            for content in tqdm(contents, desc=f"cost, {name}", unit="message", leave=False):
                answer = await house.runs.moderate(Submission(content=content), system(APP))

                def case(session: Session, case_id: str = answer.case_id) -> Case:
                    return cases.get(session, app_id=APP, case_id=case_id)

                if consultation := (await house.database.read(case)).assessment.consultation:
                    asked.append(consultation)
                    texts.add(content.text)
    spent = Spent(name, len(contents), len({content.text for content in contents}), len(texts), tuple(asked))
    recorded = (spent.usage.calls, spent.usage.input_tokens, spent.usage.output_tokens)
    if recorded != (counted.calls, counted.tokens_in, counted.tokens_out):
        raise Invalid(f"the records say {recorded} of calls, tokens in and out, and the server {counted}")
    return spent


def _answer(who: Specialist, text: Text) -> str:
    """What the scripted judge says, in the form of an answer."""
    said: Opinion = Judge(ACCURACY).says(who, text)
    unsure = random.Random(f"{text.id} {who} unsure")
    if unsure.random() < UNSURE:
        need = unsure.choice([Need.EARLIER_TEXTS, Need.SIMILAR_CASES])
        said = said.model_copy(
            update={"reading": Reading.UNCLEAR, "policy": None, "severity": None, "certainty": 2, "needs": need}
        )
    form = {
        "reading": said.reading,
        "policy": said.policy,
        "severity": said.severity,
        "certainty": said.certainty,
        "factors": ["clear_policy_match" if said.reading is Reading.VIOLATES else "ambiguous_language"],
        "quotes": [text.text[:80].strip()],
        "needs": said.needs,
        "reasoning": REASONS[said.reading],
    }
    return json.dumps(form, ensure_ascii=False)


def _figures(spent: Spent) -> Iterator[Figure]:
    usage, name, count = spent.usage, spent.name, spent.messages
    questions = usage.calls + usage.cached
    (price_in, price_out), *_ = PRICES
    ordinary = name == "ordinary traffic"
    yield Figure(
        f"share of messages asked about, {name}",
        len(spent.consultations) / count,
        rows=count,
        gate=0.02 if ordinary else None,
        bar="at most 0.100" if ordinary else "",
        higher_is_better=False,
    )
    yield Figure(
        f"money per 1,000 messages at {price_in:.2f} / {price_out:.2f}, {name}",
        1_000 * spent.cost(price_in, price_out) / count,
        rows=count,
        higher_is_better=False,
    )
    yield Figure(
        f"share of different texts asked about, {name}",
        spent.texts_asked / spent.texts,
        rows=spent.texts,
        higher_is_better=False,
    )
    unpaid = sum(not each.usage.calls for each in spent.consultations)
    for what, value in (
        ("messages asked about", len(spent.consultations)),
        ("messages that the cache answered wholly", unpaid),
        ("calls", usage.calls),
        ("questions answered from the cache", usage.cached),
        ("tokens in", usage.input_tokens),
        ("tokens out", usage.output_tokens),
    ):
        yield Figure(f"{what}, {name}", float(value), rows=count, higher_is_better="cache" in what)
    if questions:
        yield Figure(f"share of questions answered from the cache, {name}", usage.cached / questions, rows=questions)


def _money(spent: Sequence[Spent]) -> Table:
    """What each stream costs at each pair of prices, as a whole and for 1,000 messages."""
    head = ("prices of a million tokens, in / out", *(f"{each.name}: all, per 1,000 messages" for each in spent))
    lines = [
        (
            f"{price_in:.2f} / {price_out:.2f}",
            *(_both(each.cost(price_in, price_out), each.messages) for each in spent),
        )
        for price_in, price_out in PRICES
    ]
    return Table("Money", head, tuple(lines))


def _both(cost: float, messages: int) -> str:
    return f"{cost:.4f}, {1_000 * cost / messages:.4f}"


def _rounds(spent: Sequence[Spent]) -> Table:
    counts = [Counter(each.rounds for each in stream.consultations) for stream in spent]
    numbers = sorted({rounds for count in counts for rounds in count})
    lines = [(str(rounds), *(str(count[rounds]) for count in counts)) for rounds in numbers]
    return Table("Messages by rounds of asking", ("rounds", *(stream.name for stream in spent)), tuple(lines))


def _asked_whom(spent: Sequence[Spent]) -> Table:
    """By specialist: the messages about which it was asked, in the last round at least."""
    counts = [
        Counter(opinion.specialist for each in stream.consultations for opinion in each.opinions) for stream in spent
    ]
    lines = [(who.replace("_", " "), *(str(count[who]) for count in counts)) for who in Specialist]
    return Table("Messages by specialist asked", ("specialist", *(stream.name for stream in spent)), tuple(lines))
