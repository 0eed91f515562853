"""The suites on public sets: what they measure on small files, what they leave out, and how services are asked."""

import csv
import gzip
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

import data
from domain.errors import Invalid, ToolUnavailable
from domain.signals import Language
from domain.vocabulary import DecisionKind
from evals import estimate, peers
from evals.context import Context
from evals.judging import Judged, Text
from evals.peers import INSTALL, OpenAIModeration, Opinions, Perspective, at_hand
from evals.readings import Readings, share, suspect_from
from evals.report import Report, Table, write
from evals.suites import benign, bias, hatecheck, hatemoji, multilingual, public
from evals.suites import peers as peers_suite
from policies.loader import load as load_policies
from screening.screen import DEFAULT_MODEL, Screener

MODEL = Path(data.__path__[0]) / "models" / DEFAULT_MODEL
KIND = "Hope your week is going well, the bakery by the station has plum cake again, number {}."
CRUEL = "All of those filthy people are vermin and should be thrown out of this country, number {}."


@pytest.fixture(scope="module")
def screener() -> Iterator[Screener]:
    made = Screener.load(MODEL, model=MODEL.name)
    yield made
    made.close()


@pytest.fixture
def context(screener: Screener, tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """An empty folder of data sets, an empty cache, no keys, and few resamples."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(estimate, "RESAMPLES", 20)
    for key in (peers.OPENAI_KEY, peers.PERSPECTIVE_KEY):
        monkeypatch.delenv(key, raising=False)
    datasets = tmp_path / "datasets"
    datasets.mkdir()
    return Context(screener, load_policies(), datasets, MODEL, corpus, tmp_path / "reports")


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_set(context: Context, name: str, rows: Sequence[tuple[str, Mapping[str, object]]]) -> None:
    assert context.datasets
    lines = [{"text": text, "labels": labels, "source": name, "split": "test"} for text, labels in rows]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (context.datasets / f"{name}.jsonl.gz").write_bytes(gzip.compress(content))


def cruel_and_kind(count: int, head: str, **more: object) -> list[tuple[str, Mapping[str, object]]]:
    """So many texts of each, labelled 1 and 0 under `head`."""
    return [(text.format(n), {head: label, **more}) for n in range(count) for text, label in ((CRUEL, 1), (KIND, 0))]


def figures(report: Report) -> dict[str, float]:
    return {figure.name: figure.value for figure in report.figures}


def table(report: Report, title: str) -> Table:
    return next(table for table in report.tables if table.title == title)


def judged(violation: float, *labels: str, slice: str = "", group: str = "", approved: bool = False) -> Judged:
    return Judged(
        text=Text(id="t", text="a", labels=frozenset(labels), slice=slice, group=group),
        kind=DecisionKind.APPROVED if approved else DecisionKind.ESCALATED,
        policy=None,
        confidence=0.5,
        violation=violation,
        scores={},
        severity=None,
        language=Language(code="en", confidence=1, competent=True),
    )


class TestReadings:
    ROWS = (judged(0.5, "hate", group="a"), judged(0.49, "hate", group="b"), judged(0.1, group="c"))

    def test_a_text_is_flagged_from_an_even_chance(self) -> None:
        assert Readings.of(self.ROWS).flagged.tolist() == [True, False, False]

    def test_a_part_of_them_is_like_the_whole(self) -> None:
        part = Readings.of(self.ROWS).where(np.array([False, True, True]))
        assert (part.groups, part.violation.tolist()) == (("b", "c"), [0.49, 0.1])
        assert part.auc()(np.arange(2)) == 1

    def test_shares_of_independent_rows_have_exact_intervals(self) -> None:
        found = Readings.of(self.ROWS)
        of_all = share("flagged", found.flagged, found.everything, found.groups)
        assert (of_all.value, of_all.rows) == (pytest.approx(1 / 3), 3)
        assert (of_all.low, of_all.high) == (pytest.approx(0.0084, abs=1e-4), pytest.approx(0.9057, abs=1e-4))

    def test_rows_of_one_template_are_drawn_together(self) -> None:
        found = Readings.of([judged(0.9, "hate", group="a")] * 5 + [judged(0.1, group="b")] * 5)
        both = share("flagged", found.flagged, found.everything, found.groups)
        assert (both.low, both.high) == (0, 1), "a resample may hold one template only"

    def test_nothing_is_no_share(self) -> None:
        found = Readings.of(self.ROWS)
        assert np.isnan(share("flagged", found.flagged, ~found.everything, found.groups).value)


class TestFunctionalTests:
    async def test_each_functionality_has_its_line(self, context: Context) -> None:
        rows = [
            {"case_id": n, "functionality": name, "test_case": text.format(n), "label_gold": label, "templ_id": n % 3}
            for n in range(6)
            for name, text, label in (("derog", CRUEL, "hateful"), ("ident_nh", KIND, "non-hateful"))
        ]
        assert context.datasets
        write_csv(context.datasets / "hatecheck_test_suite_cases.csv", rows)
        found = await hatecheck.run(context)
        assert [line[:3] for line in table(found, "By functionality").rows] == [
            ("derog", "hateful", "6"),
            ("ident_nh", "non-hateful", "6"),
        ]
        told = figures(found)
        halves = told["accuracy on hateful cases"] + told["accuracy on non-hateful cases"]
        assert told["accuracy"] == pytest.approx(halves / 2)
        assert told["AUC"] == 1, "plain hate stands out from talk of cake"
        assert told[f"accuracy at {suspect_from(context):.2f} on hateful cases"] >= told["accuracy on hateful cases"]
        assert "bootstrap over templates" in found.what
        write(found, context.reports)

    async def test_a_copy_without_functionalities_has_no_such_table(self, context: Context) -> None:
        write_set(context, "hatemoji_check", cruel_and_kind(4, "hate"))
        found = await hatemoji.run(context)
        assert found.tables == ()
        assert "does not tell their templates" in found.what

    async def test_texts_that_training_read_are_counted(self, context: Context) -> None:
        write_set(context, "hatecheck", cruel_and_kind(3, "hate"))
        write_set(context, "davidson", [(CRUEL.format(1).upper(), {"hate": 1}), ("something else", {"hate": 1})])
        assert (await hatecheck.run(context)).what.endswith("also stand in a set that training reads: 1.")

    async def test_a_limit_takes_fewer_of_each_label(self, context: Context) -> None:
        write_set(context, "hatecheck", cruel_and_kind(10, "hate", functionality="f"))
        few = Context(**{**vars(context), "limit": 6})
        found = {figure.name: figure.rows for figure in (await hatecheck.run(few)).figures}
        assert (found["accuracy on hateful cases"], found["accuracy on non-hateful cases"]) == (3, 3)

    async def test_without_the_set_it_says_where_to_get_it(self, context: Context) -> None:
        with pytest.raises(Invalid, match=r"python -m evals\.download hatecheck"):
            await hatecheck.run(context)


async def test_languages_are_told_apart(context: Context) -> None:
    german = "Diese Leute sind Abschaum und gehören alle aus dem Land geworfen, Nummer {}."
    rows = [(german.format(n), {"hate": 1, "lang": "german"}) for n in range(3)]
    rows += [("Ich backe am Sonntag einen Kuchen.", {"hate": 0, "lang": "german"})]
    rows += [("这些人都是垃圾,应该滚出这个国家。", {"hate": n, "lang": "mandarin"}) for n in (0, 1)]
    write_set(context, "multilingual_hatecheck_700", rows)
    found = await multilingual.run(context)
    lines = {line[0]: line for line in table(found, "By language").rows}
    assert {code: line[1] for code, line in lines.items()} == {"de": "4", "zh": "2"}
    assert lines["zh"][2].startswith("0.500"), "the same sentence twice cannot be told apart"
    per_language = [float(line[2].split()[0]) for line in lines.values()]
    assert figures(found)["mean AUC over the languages"] == pytest.approx(np.mean(per_language), abs=1e-3)
    assert figures(found)["lowest AUC of a language"] == pytest.approx(min(per_language), abs=1e-3)
    assert lines["zh"][-1] == "–", "nothing in a language that is not read is decided without people"
    decided = figures(found)[
        "lowest share right of a competent language's cases decided without people, at 5% violations"
    ]
    assert decided == pytest.approx(float(lines["de"][-1].split()[0]), abs=1e-3)


def test_what_is_right_without_people_is_weighed_as_in_traffic() -> None:
    rows = [judged(0.1, "hate", approved=True)] * 3 + [judged(0.1, approved=True), judged(0.9, "hate")]
    right = multilingual.right_at_traffic(Readings.of(rows))(np.arange(5))
    assert right == pytest.approx(0.95 / (0.95 + 0.05 * 3 / 4))


class TestBias:
    def test_the_three_measures_are_those_of_borkan_and_others(self) -> None:
        rows = [judged(0.9, "harassment", slice="deaf")] * 10 + [judged(0.6, slice="deaf")] * 10
        rows += [judged(0.5, "harassment", slice="tall")] * 10 + [judged(0.1, slice="tall")] * 10
        marked = bias.Marked.of(rows)
        everything = np.arange(len(rows))
        found = {who: {name: of(everything) for name, of in marked.measures(who).items()} for who in marked.mentions}
        assert found["deaf"] == {"subgroup AUC": 1, "BPSN AUC": 0, "BNSP AUC": 1}, "harmless talk of it scores high"
        assert found["tall"] == {"subgroup AUC": 1, "BPSN AUC": 1, "BNSP AUC": 0}, "abuse of it is missed"

    def test_a_text_may_mention_several_and_rare_ones_are_left_out(self) -> None:
        rows = [judged(0.9, "harassment", slice="deaf+tall")] * 10 + [judged(0.6, slice="deaf")] * 10
        assert set(bias.Marked.of(rows).mentions) == {"deaf"}

    async def test_madlibs_are_reported_by_identity(self, context: Context) -> None:
        said = {1: "{} people are disgusting vermin, number {}", 0: "{} people are lovely neighbours, number {}"}
        rows = [
            (text.format(who, n), {"toxic": label})
            for label, text in said.items()
            for who in ("deaf", "middle aged")
            for n in range(10)
        ]
        write_set(context, "bias_madlibs_6k", rows)
        found = await bias.run(context)
        assert [line[:2] for line in table(found, "By identity").rows] == [("deaf", "20"), ("middle aged", "20")]
        told = figures(found)
        assert told["gap of the worst BPSN AUC to overall"] == pytest.approx(
            told["overall AUC"] - told["worst BPSN AUC"]
        )
        assert next(figure.bar for figure in found.figures if figure.name == "worst subgroup AUC").startswith(
            "identity"
        )

    async def test_civil_comments_join_where_they_are_at_hand(self, context: Context) -> None:
        write_set(context, "bias_madlibs_6k", [(f"deaf {n}", {"toxic": n % 2}) for n in range(20)])
        assert context.datasets
        rows = [{"comment_text": f"text {n}", "target": n % 2, "female": 1} for n in range(20)]
        write_csv(context.datasets / "civil_comments.csv", rows)
        found = await bias.run(context)
        assert [line[0] for line in table(found, "By identity, Civil Comments").rows] == ["female"]
        assert len(found.sources) == 2

    async def test_too_few_texts_are_no_measure(self, context: Context) -> None:
        write_set(context, "bias_madlibs_6k", [("deaf people", {"toxic": 0}), ("tall people", {"toxic": 1})])
        with pytest.raises(Invalid, match="no identity has 10 toxic and 10 other sentences"):
            await bias.run(context)


async def test_only_clean_texts_are_benign(context: Context) -> None:
    write_set(context, "topical_chat", [(KIND.format(n), {"toxic": 0}) for n in range(5)])
    write_set(context, "jigsaw_samples", cruel_and_kind(3, "toxic"))
    found = await benign.run(context)
    rows = {figure.name: figure.rows for figure in found.figures}
    assert rows["conversations (topical_chat): flagged"] == 5
    assert rows["talk of Wikipedia's editors (jigsaw_samples): flagged"] == 3
    told = figures(found)
    for talk in ("conversations (topical_chat)", "talk of Wikipedia's editors (jigsaw_samples)"):
        assert told[f"{talk}: not approved"] >= told[f"{talk}: rejected"]
    assert not any(figure.higher_is_better for figure in found.figures)
    assert [line[0] for line in table(found, "Not measured").rows] == ["youtube_spam"]


async def test_without_any_clean_set_nothing_is_benign(context: Context) -> None:
    with pytest.raises(Invalid, match="topical_chat: not at hand"):
        await benign.run(context)


class TestFurtherSets:
    async def test_sets_at_hand_are_measured_and_the_others_named(self, context: Context) -> None:
        write_set(context, "hatexplain_heldout", cruel_and_kind(4, "hate"))
        write_set(context, "civil_toxic_spans", cruel_and_kind(1, "toxic"))
        found = await public.run(context)
        told = figures(found)
        assert set(told) == {"hatexplain: AUPRC", "hatexplain: AUC"}
        left_out = dict(table(found, "Not measured").rows)
        assert left_out["civil_toxic_spans"] == "training reads it"
        assert "python -m evals.download openai" in left_out["openai"]
        assert "hatexplain" not in left_out
        assert str(context.datasets) not in str(found)
        texts = table(found, "Read as a violation").rows[0][1]
        assert texts == "6", "two texts stand in a set that training reads"

    async def test_openais_set_is_told_both_ways(self, context: Context) -> None:
        labels = dict.fromkeys(("S", "H", "V", "HR", "SH", "S3", "H2", "V2"), 0)
        rows = [{"prompt": CRUEL.format(n), **labels, "H": 1} for n in range(3)]
        rows += [{"prompt": KIND.format(n), **labels} for n in range(3)]
        rows += [{"prompt": KIND.format(9), "S": 0}]
        assert context.datasets
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        (context.datasets / "samples-1680.jsonl.gz").write_bytes(gzip.compress(content))
        counts = {figure.name: figure.rows for figure in (await public.run(context)).figures}
        assert counts["openai: AUPRC"] == 6
        assert counts[f"{public.AS_PUBLISHED}: AUPRC"] == 7

    async def test_without_any_set_it_says_how_to_get_them(self, context: Context) -> None:
        with pytest.raises(Invalid, match="openai: not at hand: run"):
            await public.run(context)


class Service:
    """A moderation service of the network, as an ASGI application: answers with these statuses in turn, then well."""

    def __init__(self, answer: Callable[[Any], object], *statuses: int, wait: str = "7") -> None:
        self.answer, self.statuses, self.wait = answer, list(statuses), wait
        self.asked: list[Any] = []
        self.headers: dict[bytes, bytes] = {}

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        self.headers = dict(scope["headers"])
        asked = json.loads(body)
        self.asked.append(asked)
        status = self.statuses.pop(0) if self.statuses else 200
        headers = [(b"retry-after", self.wait.encode())] if self.wait else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(self.answer(asked)).encode()})


class Clock:
    """Remembers for how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


def moderations(asked: Mapping[str, Any]) -> object:
    scores = [len(text) / 100 for text in asked["input"]]
    return {"results": [{"flagged": s > 0.1, "category_scores": {"hate": s, "violence": s / 2}} for s in scores]}


def openai(service: Service, clock: Clock) -> OpenAIModeration:
    return OpenAIModeration("secret", transport=httpx2.ASGITransport(app=service), pause=clock)


class TestOpenAIModeration:
    async def test_texts_are_sent_together_and_answered_in_order(self) -> None:
        service = Service(moderations)
        found = await openai(service, Clock()).read(["a" * n for n in range(1, 21)], title="set")
        assert [len(asked["input"]) for asked in service.asked] == [16, 4]
        assert found.scores.tolist() == pytest.approx([n / 100 for n in range(1, 21)])
        assert found.flagged.tolist() == [n > 10 for n in range(1, 21)]
        assert service.headers[b"authorization"] == b"Bearer secret"

    async def test_it_waits_as_long_as_the_service_says(self) -> None:
        service, clock = Service(moderations, 429, 503), Clock()
        assert len((await openai(service, clock).read(["a"], title="set")).scores) == 1
        assert clock.waits == [7, 7]

    async def test_it_waits_twice_as_long_where_the_service_does_not_say(self) -> None:
        clock = Clock()
        with pytest.raises(ToolUnavailable, match="answers 500, 6 times"):
            await openai(Service(moderations, *[500] * 6, wait=""), clock).read(["a"], title="set")
        assert clock.waits == [1, 2, 4, 8, 16]

    async def test_a_refused_key_is_not_tried_again_and_not_told(self) -> None:
        service = Service(lambda _: {"error": "Incorrect API key"}, 401)
        with pytest.raises(ToolUnavailable, match=r"answers 401: .*Incorrect API key") as refused:
            await openai(service, Clock()).read(["a"], title="set")
        assert len(service.asked) == 1
        assert "secret" not in str(refused.value)

    @pytest.mark.parametrize("answer", [{"results": []}, {"results": [{"flagged": True}]}, []])
    async def test_an_answer_that_is_none_is_refused(self, answer: object) -> None:
        with pytest.raises(ToolUnavailable, match=r"results for 1 texts|not answer as documented"):
            await openai(Service(lambda _: answer), Clock()).read(["a"], title="set")

    async def test_a_service_that_is_out_of_reach_is_told(self) -> None:
        class Offline(httpx2.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                raise httpx2.ConnectError("no route to host")

        with pytest.raises(ToolUnavailable, match=r"cannot be reached .*no route to host.*, 6 times"):
            await OpenAIModeration("secret", transport=Offline(), pause=Clock()).read(["a"], title="set")


async def test_perspective_is_asked_once_a_second_and_stores_nothing() -> None:
    def analyse(asked: Mapping[str, Any]) -> object:
        scores = {"TOXICITY": 0.2, "THREAT": 0.8 if "hurt" in asked["comment"]["text"] else 0.1}
        return {"attributeScores": {name: {"summaryScore": {"value": value}} for name, value in scores.items()}}

    service, clock = Service(analyse), Clock()
    peer = Perspective("secret", transport=httpx2.ASGITransport(app=service), pause=clock)
    found = await peer.read(["hello", "I will hurt you", "é" * 2_000], title="set")
    assert found.scores.tolist() == [0.2, 0.8, 0.2]
    assert found.flagged.tolist() == [False, True, False]
    assert clock.waits == [1, 1, 1]
    assert all(asked["doNotStore"] is True for asked in service.asked)
    assert service.asked[2]["comment"]["text"] == "é" * 1_500
    assert service.headers[b"x-goog-api-key"] == b"secret"


class TestPeersAtHand:
    def test_a_service_is_asked_only_with_a_key(self) -> None:
        _, missing = at_hand({})
        assert f"set {peers.OPENAI_KEY}" in dict(missing)["OpenAI's moderation API"]
        found, missing = at_hand({peers.OPENAI_KEY: "a", peers.PERSPECTIVE_KEY: "b"})
        assert {"OpenAI moderation", "Perspective"} <= {peer.name for peer in found}
        assert not {"OpenAI's moderation API", "Perspective API"} & dict(missing).keys()

    @pytest.mark.parametrize(
        ("name", "package"), [("VADER", "vaderSentiment"), ("alt-profanity-check", "profanity_check")]
    )
    async def test_a_library_is_asked_where_it_is_installed(self, name: str, package: str) -> None:
        found, missing = at_hand({})
        if importlib.util.find_spec(package) is None:
            assert INSTALL in dict(missing)[name]
        else:
            peer = next(peer for peer in found if peer.name == name)
            read = await peer.read(["What a lovely day", "You disgusting stupid idiot, I hate you"], title="set")
            assert read.scores[0] < read.scores[1]
            assert read.flagged.tolist() == [False, True]


class Shouting:
    """A peer that takes capitals for violations."""

    name, cut = "Shouting", "half of the letters"

    async def read(self, texts: Sequence[str], *, title: str) -> Opinions:
        scores = np.array([sum(letter.isupper() for letter in text) / len(text) for text in texts])
        return Opinions(scores, scores >= 0.5)


class Silent:
    """A peer that does not answer."""

    name, cut = "Silent", "never"

    async def read(self, texts: Sequence[str], *, title: str) -> Opinions:
        raise ToolUnavailable(self.name, "answers 401")


class TestBesidePeers:
    async def test_all_read_the_same_texts(self, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(peers_suite, "at_hand", lambda environment: ([Shouting(), Silent()], [("VADER", "no")]))
        write_set(context, "hatecheck", cruel_and_kind(4, "hate"))
        found = await peers_suite.run(context)
        ranks = table(found, "AUC, any violation")
        assert ranks.head == ("set", "texts", "violating", "CupidsShield", "Shouting")
        assert [line[:3] for line in ranks.rows] == [("own test part", "18", "56%"), ("hatecheck", "8", "50%")]
        ours, theirs = (float(cell.split()[0]) for cell in ranks.rows[1][3:])
        assert figures(found)["hatecheck: lead over the best peer in AUC"] == pytest.approx(ours - theirs, abs=2e-3)
        left_out = dict(table(found, "Left out").rows)
        assert left_out["VADER"] == "no"
        assert left_out["Silent"] == "Silent: answers 401"
        assert "hatemoji" in left_out
        write(found, context.reports)

    async def test_without_a_peer_it_says_how_to_have_one(
        self, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(peers_suite, "at_hand", lambda environment: ([], [("VADER", "not installed")]))
        with pytest.raises(Invalid, match="VADER is not installed"):
            await peers_suite.run(context)
