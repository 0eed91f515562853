"""`cupidsshield moderate`: a text, stdin, or a file; decided here, with JSON for programs."""

import json
from pathlib import Path

import pytest

from cupidsshield.cli.moderate import requests_in
from domain.answer import ModerationAnswer
from domain.errors import Invalid
from domain.vocabulary import ContentType
from tests.cupidsshield.conftest import Run
from tests.cupidsshield.test_commands import objects_in, refused

CLEAN = "I love hiking! What trails do you recommend?"
SCAM = "Send me money on WhatsApp for crypto investment!"


def read(source: str) -> list[tuple[str, str, str]]:
    requests = requests_in(source, ContentType.MESSAGE, "somebody")
    return [(request.content, request.content_type.value, request.user_id) for request in requests]


def test_each_line_of_a_file_is_decided_about_in_order(run: Run, tmp_path: Path) -> None:
    rows = [
        {"content": CLEAN, "content_id": "first"},
        {"content": SCAM, "content_id": "second", "user_id": "u2"},
        {"content": CLEAN, "content_id": "first"},
    ]
    (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    answers = objects_in(run("moderate", "texts.jsonl", "--output", "json"))
    assert [ModerationAnswer.model_validate(answer).content_id for answer in answers] == ["first", "second", "first"]
    assert [answer["decision"] for answer in answers] == ["approved", "rejected", "approved"]
    assert [answer["replayed"] for answer in answers] == [False, False, True]


def test_for_people_a_decision_is_shown_with_its_reasons(run: Run) -> None:
    shown = run("moderate", "-", stdin=SCAM.encode())
    assert shown.code == 0
    for part in ("rejected", "scams", "permanent_ban", "99%", "Send me money"):
        assert part in shown.out


def test_each_step_can_be_followed_and_does_not_mix_with_the_answer(run: Run) -> None:
    told = run("moderate", SCAM, "--steps", "--output", "json")
    assert objects_in(told)[0]["decision"] == "rejected"
    assert "Screened the text." in told.err
    assert "Screened the text." not in run("moderate", SCAM).err


def test_without_the_database_server_it_says_so_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_MCP_DATABASE_URL", "http://127.0.0.1:9/mcp/database")
    monkeypatch.setenv("CUPIDSSHIELD_SERVICE_TOKEN", "between-us")
    assert "database" in refused(run("moderate", CLEAN))


def test_a_service_elsewhere_needs_a_key_and_must_be_there(run: Run) -> None:
    assert "--key" in refused(run("moderate", CLEAN, "--url", "http://127.0.0.1:9"))
    told = refused(run("moderate", CLEAN, "--url", "http://127.0.0.1:9", "--key", "cs_live_x"))
    assert "no service answers at http://127.0.0.1:9" in told


def test_a_text_is_taken_as_it_is() -> None:
    assert read(SCAM) == [(SCAM, "message", "somebody")]
    assert read('{"content": "x"}') == [('{"content": "x"}', "message", "somebody")]


def test_a_file_may_say_more_than_the_text(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(
        '\n{"content": "a"}\n\n{"content": "b", "content_type": "bio", "user_id": "u"}'
    )
    assert read("rows.jsonl") == [("a", "message", "somebody"), ("b", "bio", "u")]


@pytest.mark.parametrize("separator", ["\u2028", "\u0085", "\x1c"])
def test_a_line_ends_where_json_lines_end(tmp_path: Path, separator: str) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"content": "a{separator}b"}}\r\n{{"content": "c"}}', "utf-8")
    if separator == "\x1c":
        with pytest.raises(Invalid, match=r"rows\.jsonl:1: not a JSON object"):
            read("rows.jsonl")
        return
    assert [content for content, *_ in read("rows.jsonl")] == [f"a{separator}b", "c"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "rows.jsonl:2: not a JSON object"),
        (b"[1, 2]", "rows.jsonl:2: not a JSON object"),
        (b"3", "rows.jsonl:2: not a JSON object"),
        (b"[" * 100_000, "rows.jsonl:2: not a JSON object"),
        (b'{"content": ""}', "rows.jsonl:2: content: String should have at least 1 character"),
        (b'{"content": "a", "surprise": 1}', "rows.jsonl:2: surprise: there is no such field"),
        (b'{"content": "a", "content_type": "shout"}', "rows.jsonl:2: content_type: "),
        (b'{"content": "\\ud800"}', "rows.jsonl:2: content: must be valid Unicode"),
        (b'{"content": "\xff"}', "rows.jsonl:2: not UTF-8"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_before_anything_is_decided(
    run: Run, tmp_path: Path, line: bytes, told: str
) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"content": "fine"}\n' + line + b"\n")
    assert told in refused(run("moderate", "rows.jsonl", "--output", "json"))
    assert not (tmp_path / "var").exists()


def test_a_file_that_is_not_there_is_told(run: Run) -> None:
    assert "[/no].jsonl: there is no such file" in refused(run("moderate", "[/no].jsonl"))


def test_bytes_that_are_no_text_are_refused(run: Run) -> None:
    assert "stdin:2: not UTF-8" in refused(run("moderate", "-", stdin=b"a\n\xff"))
