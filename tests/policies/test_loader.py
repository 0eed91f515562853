"""What a policy folder must hold, and how a broken one is refused."""

import shutil
from pathlib import Path

import pytest

from domain.errors import PolicyFileError
from domain.vocabulary import Policy, Severity
from policies.loader import SHIPPED, check, load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies that a test may break."""
    shutil.copytree(SHIPPED / "guidelines", tmp_path / "guidelines")
    shutil.copy(SHIPPED / "thresholds.yaml", tmp_path)
    return tmp_path


def swap(path: Path, old: str, new: str) -> int:
    """Replace the first `old`; returns the line, from 1, on which it stood."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


class TestTheShippedPolicies:
    def test_they_are_complete_and_sound(self) -> None:
        assert check() == []
        assert set(load().guidelines) == set(Policy)

    @pytest.mark.parametrize("policy", list(Policy))
    def test_every_guideline_shows_each_severity_and_what_is_fine(self, policy: Policy) -> None:
        guideline = load().guideline(policy)
        assert {example.severity for example in guideline.examples} == set(Severity)
        assert len(guideline.fine) >= 3

    def test_their_hash_is_of_the_content_and_not_of_the_layout(self, folder: Path) -> None:
        shipped = load().set_hash
        assert len(shipped) == 16
        assert int(shipped, 16) >= 0
        swap(folder / "thresholds.yaml", "version:", "# a remark\nversion:")
        assert load(folder).set_hash == shipped
        swap(folder / "guidelines" / "spam.yaml", "advertise", "advertise at all")
        assert load(folder).set_hash != shipped


BROKEN = [
    ("guidelines/scams.yaml", "low: flag_for_review", "low: flag_for_revue", "ladder.low: Input should be"),
    ("guidelines/scams.yaml", "severity: medium", "severity: middling", "examples.1.severity: Input should be"),
    ("guidelines/scams.yaml", "name: scams", "name: scam", "name: Input should be"),
    ("guidelines/spam.yaml", "name: spam", "name: scams", "scams is defined already in guidelines/scams.yaml"),
    ("guidelines/scams.yaml", "version: 1.0.0", "version: 1.0", "version: Input should be a valid string"),
    ("guidelines/scams.yaml", "version: 1.0.0", "version: newest", "version: String should match"),
    ("guidelines/scams.yaml", "dsa:", "verdict: 1\ndsa:", "unknown key 'verdict'"),
    ("guidelines/scams.yaml", "dsa:", "name: scams\ndsa:", "'name' is given twice"),
    ("guidelines/scams.yaml", "CATEGORY_SCAMS_AND_FRAUD", "CATEGORY_SCAM", "dsa.category: Input should be"),
    ("guidelines/self_harm.yaml", "high: offer_support", "high: warn", "self_harm must say offer_support"),
    ("guidelines/self_harm.yaml", "route: care", "route: legal", "must be care"),
    ("guidelines/self_harm.yaml", "possible_at: 0.30", "possible_at: 0.9", "possible_at: Input should be less"),
    ("guidelines/age_verification.yaml", "severities: [low,", "severities: [", "must hold for: low, medium"),
    ("guidelines/age_verification.yaml", "route: legal", "route: jury", "fixed_route.route: Input should be"),
    ("guidelines/hate.yaml", "severities: [critical]", "severities: [high]", "must hold for: critical"),
    ("thresholds.yaml", "auto_approve: 0.90", "auto_approve: 1.2", "confidence.auto_approve: Input should be less"),
    ("thresholds.yaml", "auto_approve: 0.90", "auto_approve: .nan", "confidence.auto_approve: Input should be"),
    ("thresholds.yaml", "auto_approve: 0.90", "auto_approve: yes", "confidence.auto_approve: Input should be"),
    (
        "thresholds.yaml",
        "auto_reject: 0.85",
        "auto_reject: 0.65",
        "auto_reject (0.65) must not be below escalate (0.7)",
    ),
    ("thresholds.yaml", "apps: {}", "apps: {a: {confidence: {escalate: 0.95}}}", "(0.9) must not be below escalate"),
    ("thresholds.yaml", "policies: {}", "policies: {scam: {}}", "policies.scam: Input should be"),
    ("thresholds.yaml", "policies: {}", "policies: {scams: {escalate: 2}}", "policies.scams.escalate: Input"),
    ("thresholds.yaml", "high_above: 0.4", "high_above: 0.8", "high_above must not be greater"),
    ("thresholds.yaml", "max_votes: 3", "max_votes: 2.5", "evidence.memory.max_votes: Input should be"),
    ("thresholds.yaml", "full: 0.50", "full: 0.10", "full must be greater than from"),
    ("thresholds.yaml", "weight: 4.0", "weight: .inf", "evidence.same_content.weight: Input should be"),
    ("guidelines/spam.yaml", "title: Spam", "title: a: b", "not valid YAML: mapping values are not allowed"),
    ("thresholds.yaml", "severity: critical", "severity: [", "not valid YAML"),
    ("thresholds.yaml", "version: 1.0.0", "version: 2024-13-45", "not valid YAML"),
]


@pytest.mark.parametrize(("file", "old", "new", "expected"), BROKEN)
def test_what_is_broken_is_named_with_file_and_line(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    line = swap(folder / file, old, new)
    with pytest.raises(PolicyFileError) as refused:
        load(folder)
    message = str(refused.value)
    assert expected in message
    assert message.startswith(f"{file}, line ")
    unplaced = "[" in new or "2024" in new
    assert unplaced or f"line {line}:" in message


@pytest.mark.parametrize("severity", list(Severity))
def test_a_ladder_needs_every_severity(folder: Path, severity: Severity) -> None:
    path = folder / "guidelines" / "harassment.yaml"
    ladder = swap(path, "ladder:", "ladder:")
    rungs = load().guideline(Policy.HARASSMENT).ladder
    swap(path, f"  {severity}: {rungs.at(severity)}\n", "")
    with pytest.raises(PolicyFileError, match=rf"harassment.yaml, line {ladder}: missing key 'ladder.{severity}'"):
        load(folder)


def test_a_missing_key_is_named_at_the_thing_that_lacks_it(folder: Path) -> None:
    line = swap(folder / "guidelines" / "spam.yaml", "    why: The profile exists to send", "    #")
    (problem,) = check(folder)
    assert (problem.file, problem.line) == ("guidelines/spam.yaml", line - 2)
    assert problem.message == "missing key 'examples.1.why'"


def test_a_missing_guideline_is_asked_for(folder: Path) -> None:
    (folder / "guidelines" / "hate.yaml").unlink()
    with pytest.raises(PolicyFileError, match=r"guidelines/hate.yaml, line 1: there is no guideline for hate"):
        load(folder)


def test_an_empty_folder_lacks_everything(tmp_path: Path) -> None:
    assert [problem.file for problem in check(tmp_path)] == [
        *sorted(f"guidelines/{policy}.yaml" for policy in Policy),
        "thresholds.yaml",
    ]


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"just words", b"\xff\xfe\x00", b"\x07", b"[" * 500])
def test_a_file_that_is_no_policy_at_all_is_refused(folder: Path, content: bytes) -> None:
    (folder / "guidelines" / "hate.yaml").write_bytes(content)
    problems = check(folder)
    assert {problem.file for problem in problems} == {"guidelines/hate.yaml"}


def test_an_endless_alias_is_refused(folder: Path) -> None:
    (folder / "guidelines" / "hate.yaml").write_text("name: &a\n  b: *a\n")
    assert "guidelines/hate.yaml" in {problem.file for problem in check(folder)}


def test_check_lists_every_problem_of_every_file_at_once(folder: Path) -> None:
    places = [
        ("guidelines/hate.yaml", swap(folder / "guidelines" / "hate.yaml", "  low: warn_and_remove", "  low: frown")),
        ("guidelines/hate.yaml", swap(folder / "guidelines" / "hate.yaml", "  keyword: KEYWORD_", "  keyword: WORD_")),
        ("thresholds.yaml", swap(folder / "thresholds.yaml", "  low: 0.3", "  low: 3")),
    ]
    assert [(problem.file, problem.line) for problem in check(folder)] == places
    with pytest.raises(PolicyFileError, match="and 2 more"):
        load(folder)


class TestThresholds:
    def test_the_more_particular_limit_wins(self, folder: Path) -> None:
        path = folder / "thresholds.yaml"
        swap(path, "policies: {}", "policies: {scams: {auto_reject: 0.92}}")
        swap(
            path,
            "apps: {}",
            "apps: {a: {confidence: {auto_reject: 0.80, auto_approve: 0.95}, policies: {spam: {auto_reject: 0.75}}}}",
        )
        policies = load(folder)
        assert policies.thresholds_for(None, "b").auto_approve == 0.90
        assert policies.thresholds_for(Policy.SCAMS, "b").auto_reject == 0.92
        assert policies.thresholds_for(Policy.HATE, "b").auto_reject == 0.85
        assert policies.thresholds_for(Policy.SCAMS, "a").auto_reject == 0.80
        assert policies.thresholds_for(Policy.SPAM, "a").auto_reject == 0.75
        assert policies.thresholds_for(None, "a").auto_approve == 0.95
        assert policies.thresholds_for(Policy.SPAM, "a").escalate == 0.70
