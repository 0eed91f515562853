"""Loads `rules.yaml` and finds what its rules describe, in the posted, the normalised and the loosely read text.

A rule notices; it never decides. What a match weighs comes from calibration, not from here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from domain.base import Frozen
from domain.errors import PolicyFileError
from domain.signals import Evidence
from domain.vocabulary import Floor, Policy, Severity
from screening.loose import loosely
from screening.normalise import Normalised
from screening.sieve import Sieve

DEFAULT_RULES = Path(__file__).with_name("rules.yaml")
AROUND = 60
"""Characters before and after a match in which an innocent reading is looked for."""

MAX_MATCHES = 5
"""Matches of one rule that are kept as evidence."""


def _compiled(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"pattern {pattern!r} is not a regular expression: {error}") from error
        if re.search(r"(?<!\\)[A-Z]", pattern):
            raise ValueError(f"pattern {pattern!r} holds a capital letter; texts are compared in lower case")
        if re.search(r"(?<!\\)[*+](?![^\[]*\])|\{\d+,\}", pattern):
            raise ValueError(f"pattern {pattern!r} holds an unbounded repeat; write an upper bound such as {{0,40}}")
    return patterns


Patterns = Annotated[tuple[str, ...], AfterValidator(_compiled)]


class Rule(Frozen):
    """One observation that needs no model. `weight` is the prior in log-odds, before calibration."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    policy: Policy | None
    reason: str = Field(min_length=1)
    weight: float = Field(ge=0, le=6)
    severity: Severity | None = None
    floor: Floor = Floor.NONE
    patterns: Patterns = ()
    not_before: Patterns = ()
    not_after: Patterns = ()
    together: tuple[tuple[str, ...], ...] = ()
    unless_verified: bool = False

    @model_validator(mode="after")
    def _patterns_or_together(self) -> "Rule":
        if bool(self.patterns) == bool(self.together):
            raise ValueError("a rule needs either patterns or together, and not both")
        return self


@dataclass(frozen=True)
class _Form:
    """One way to read a text, and the places of the patterns that may match it."""

    text: str
    normalised: Normalised | None
    """What leads from this form back to the posted text; None for the posted text itself."""
    possible: frozenset[int]


@dataclass(frozen=True)
class Match:
    """A rule that matched, and where."""

    rule: Rule
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class _Compiled:
    places: range
    """Where its patterns stand among those of all rules."""
    patterns: tuple[re.Pattern[str], ...]
    not_before: tuple[re.Pattern[str], ...]
    not_after: tuple[re.Pattern[str], ...]


class Rules:
    """A validated set of rules, compiled once; safe to share between threads."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.all = tuple(rules)
        self._sieve = Sieve([pattern for rule in rules for pattern in rule.patterns])
        self._compiled: dict[str, _Compiled] = {}
        first = 0
        for rule in rules:
            places = range(first, first + len(rule.patterns))
            patterns = (_compile(p) for p in (rule.patterns, rule.not_before, rule.not_after))
            self._compiled[rule.name] = _Compiled(places, *patterns)
            first = places.stop

    @classmethod
    def load(cls, path: Path = DEFAULT_RULES) -> "Rules":
        """Read and validate a rules file; PolicyFileError names the file, the line and what is wrong."""
        try:
            text = path.read_text(encoding="utf-8")
            document = yaml.safe_load(text)
        except OSError as error:
            raise PolicyFileError(f"{path}: cannot be read: {error}; give the path of a rules file") from error
        except yaml.YAMLError as error:
            raise PolicyFileError(f"{path}: is not YAML: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
            raise PolicyFileError(f"{path}:1: expected a mapping with a list named 'rules'")
        lines = _lines(text)
        rules: list[Rule] = []
        for line, item in zip(lines, document["rules"], strict=True):
            try:
                rule = Rule.model_validate(item)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"]) or "rule"
                raise PolicyFileError(f"{path}:{line}: {where}: {first['msg']}") from error
            _check_names(path, line, rule, {other.name for other in rules})
            rules.append(rule)
        return cls(rules)

    def match(self, text: Normalised, *, verified: bool = False) -> tuple[Match, ...]:
        """All rules that match the posted, the normalised or the loosely read text, in the order of the file."""
        forms = [self._form(text.raw, None)]
        if text.raw != text.text:
            forms.append(self._form(text.text, text))
        if (loose := loosely(text)) is not text:
            forms.append(self._form(loose.text, loose))
        possible = frozenset().union(*(form.possible for form in forms))
        found: dict[str, Match] = {}
        for rule in self.all:
            if rule.unless_verified and verified:
                continue
            if rule.together:
                evidence = _together(rule, found)
            elif possible.isdisjoint(self._compiled[rule.name].places):
                continue
            else:
                evidence = self._search(rule, text.raw, forms)
            if evidence:
                found[rule.name] = Match(rule, evidence)
        return tuple(found.values())

    def _form(self, text: str, normalised: Normalised | None) -> _Form:
        lowered = _lowered(text)
        return _Form(lowered, normalised, self._sieve.possible(lowered))

    def _search(self, rule: Rule, posted: str, forms: Sequence[_Form]) -> tuple[Evidence, ...]:
        compiled = self._compiled[rule.name]
        spans: dict[tuple[int, int], Evidence] = {}
        for form in forms:
            likely = [p for place, p in zip(compiled.places, compiled.patterns, strict=True) if place in form.possible]
            for hit in (hit for pattern in likely for hit in pattern.finditer(form.text)):
                if hit.end() == hit.start() or not _stands(compiled, form.text, hit):
                    continue
                evidence = (
                    form.normalised.evidence(hit.start(), hit.end(), rule.reason)
                    if form.normalised
                    else Evidence(start=hit.start(), end=hit.end(), quote=posted[slice(*hit.span())], note=rule.reason)
                )
                spans.setdefault((evidence.start, evidence.end), evidence)
                if len(spans) >= MAX_MATCHES:
                    return tuple(spans.values())
        return tuple(spans.values())


def _compile(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


def _lowered(text: str) -> str:
    """The text in lower case, every character in its place; twice as fast to search as ignoring the case."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _stands(compiled: _Compiled, form: str, hit: re.Match[str]) -> bool:
    """Whether nothing around the match makes it innocent."""
    before = form[max(0, hit.start() - AROUND) : hit.start()]
    after = form[hit.end() : hit.end() + AROUND]
    return not (any(p.search(before) for p in compiled.not_before) or any(p.search(after) for p in compiled.not_after))


def _together(rule: Rule, found: Mapping[str, Match]) -> tuple[Evidence, ...]:
    """The first evidence of each group, or nothing where a group is missing."""
    evidence: list[Evidence] = []
    for group in rule.together:
        first = next((found[name].evidence[0] for name in group if name in found), None)
        if first is None:
            return ()
        evidence.append(first)
    return tuple(evidence)


def _lines(text: str) -> list[int]:
    """The line on which each rule begins."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return [item.start_mark.line + 1 for key, value in pairs if key.value == "rules" for item in value.value]


def _check_names(path: Path, line: int, rule: Rule, earlier: set[str]) -> None:
    if rule.name in earlier:
        raise PolicyFileError(f"{path}:{line}: there is already a rule named '{rule.name}'; choose another name")
    for name in {name for group in rule.together for name in group} - earlier:
        raise PolicyFileError(f"{path}:{line}: together: '{name}' must be a rule that stands above this one")
