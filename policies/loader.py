"""Reads the policy files and refuses what is broken, naming file and line.

A folder holds `thresholds.yaml` and `guidelines/*.yaml`. Nothing is guessed and nothing defaulted: a half-read policy
would decide about people. What a file must hold is said in `model` and `thresholds`, not here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from domain.base import Frozen
from domain.errors import PolicyFileError
from domain.vocabulary import Policy
from policies.model import Guideline, PolicySet
from policies.opinion_weights import FittedWeights
from policies.thresholds import Broken, ThresholdSet

SHIPPED = Path(__file__).parent
DEEPEST = 8
"""Levels of nesting that are looked into: twice what a policy file needs; a recursive alias has no end."""

Key = str | int
Document = TypeVar("Document", Guideline, ThresholdSet)
Lines = dict[tuple[Key, ...], int]


class Problem(Frozen):
    """What is wrong in one place; `file` is relative to the folder, `line` counts from 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.message}"


def load(folder: Path | None = None, weights: Path | None = None) -> PolicySet:
    """The policies in `folder`, or the shipped ones; `weights` is a file of fitted weights of opinions, if any.

    Raises PolicyFileError naming file, line and what was expected at the first problem; `check` lists all of them.
    """
    problems: list[Problem] = []
    policies = _read_all(folder or SHIPPED, problems)
    if policies is None:
        others = len(problems) - 1
        more = f" (and {others} more; `check` lists them all)" if others else ""
        raise PolicyFileError(f"{problems[0]}{more}")
    if weights is None:
        return policies
    fitted = FittedWeights.load(weights)
    return PolicySet(guidelines=policies.guidelines, thresholds=policies.thresholds, fitted=fitted)


def check(folder: Path | None = None) -> list[Problem]:
    """All problems of all policy files in `folder` (None: the shipped ones), in order of file and line."""
    problems: list[Problem] = []
    _read_all(folder or SHIPPED, problems)
    return problems


def _read_all(folder: Path, problems: list[Problem]) -> PolicySet | None:
    """The set, or None where anything at all was wrong; every problem is added to `problems`, sorted."""
    found: dict[Policy, tuple[str, Guideline]] = {}
    files = sorted((folder / "guidelines").glob("*.yaml"))
    for path in files:
        name = f"guidelines/{path.name}"
        read = _read(path, name, Guideline, problems)
        if read is None:
            continue
        guideline, lines = read
        if guideline.name in found:
            first = found[guideline.name][0]
            message = f"{guideline.name} is defined already in {first}; keep one of the two"
            problems.append(Problem(file=name, line=lines[("name",)], message=message))
        else:
            found[guideline.name] = (name, guideline)
    broken = {path.stem for path in files} if problems else set()
    problems += [_missing(policy) for policy in Policy if policy not in found and policy.value not in broken]
    thresholds = _read(folder / "thresholds.yaml", "thresholds.yaml", ThresholdSet, problems)
    problems.sort(key=lambda problem: (problem.file, problem.line))
    if problems or thresholds is None:
        return None
    return PolicySet(guidelines={policy: found[policy][1] for policy in Policy}, thresholds=thresholds[0])


def _missing(policy: Policy) -> Problem:
    message = f"there is no guideline for {policy}; add this file with name: {policy}"
    return Problem(file=f"guidelines/{policy}.yaml", line=1, message=message)


def _read(path: Path, name: str, shape: type[Document], problems: list[Problem]) -> tuple[Document, Lines] | None:
    """One file as a model, with the line of each of its keys; None and problems where it is broken."""
    before = len(problems)
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if node is None:
            raise yaml.MarkedYAMLError(problem="expected keys and values, found an empty file")
        lines: Lines = {}
        _note_lines(node, (), lines, name, problems)
        content = loader.construct_document(node)
    except FileNotFoundError:
        problems.append(Problem(file=name, line=1, message="there is no such file; every policy folder needs it"))
        return None
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file=name, line=1, message=f"expected a readable file in UTF-8: {error}"))
        return None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(Problem(file=name, line=line, message=f"not valid YAML: {error.problem}"))
        return None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problems.append(Problem(file=name, line=1, message=f"not valid YAML: {error}"))
        return None
    try:
        model = shape.model_validate(content)
    except ValidationError as invalid:
        problems += _problems(name, invalid, lines)
        return None
    return (model, lines) if len(problems) == before else None


def _note_lines(node: yaml.Node, path: tuple[Key, ...], lines: Lines, name: str, problems: list[Problem]) -> None:
    """Fill `lines` with the line of every key and item below `node`; a key given twice is a problem."""
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) == DEEPEST:
        return
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(item, (*path, index), lines, name, problems)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                problems.append(Problem(file=name, line=line, message="expected a plain word as key"))
            elif key.value in seen:
                problems.append(Problem(file=name, line=line, message=f"'{key.value}' is given twice; keep one"))
            else:
                seen.add(key.value)
                lines[(*path, key.value)] = line
                _note_lines(value, (*path, key.value), lines, name, problems)


def _problems(name: str, invalid: ValidationError, lines: Lines) -> Iterator[Problem]:
    """Validation errors in plain words, each at the line of the nearest key that the file does hold."""
    for error in invalid.errors(include_url=False):
        cause = error.get("ctx", {}).get("error")
        blamed = cause.at if isinstance(cause, Broken) else ()
        place = (*(part for part in error["loc"] if part != "[key]"), *blamed)
        known = next(place[:end] for end in range(len(place), -1, -1) if place[:end] in lines)
        where = ".".join(str(part) for part in place) or "the file"
        if isinstance(cause, Broken):
            message = str(cause)
        elif error["type"] == "missing":
            message = f"missing key '{where}'"
        elif error["type"] == "extra_forbidden":
            message = f"unknown key '{where}'; correct its spelling or remove it"
        else:
            given = repr(error["input"])
            message = f"{where}: {error['msg']}, not {given if len(given) <= 60 else given[:60] + '…'}"
        yield Problem(file=name, line=lines[known], message=message)
