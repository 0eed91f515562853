"""Tells in one pass which of many regular expressions can match a text at all.

Most texts match no rule, and trying a hundred expressions one by one takes longer than everything else around the
model's pass. RE2 (Cox 2010, "Regular Expression Matching in the Wild") runs them all as one automaton, but it knows
neither lookaround nor Unicode's classes; so each is widened to one that matches wherever the original does, and what
passes is left to the original.
"""

import re
from collections.abc import Sequence

import re2

_MEMORY = 32 << 20
"""Bytes that the automaton may grow to; then it starts its cache anew."""

_NOTHING = "(?:)"
_ANYTHING = r"[\x{0}-\x{10ffff}]"
_BEYOND = r"\x{80}-\x{10ffff}"
_CLASSES = {"w": "0-9A-Z_a-z" + _BEYOND, "d": "0-9" + _BEYOND, "s": r"\s\v\x{1c}-\x{1f}" + _BEYOND}
"""Contents of classes: what is beyond ASCII belongs to all of them."""

_PART = re.compile(
    r"""(?P<around>\(\?<?[=!])
    | (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<edge>\\[bB]|[\^$])
    | \\(?P<kind>[wds])
    | (?P<other>\\[WDS])
    | \\x(?P<byte>[0-9a-fA-F]{2}) | \\u(?P<code>[0-9a-fA-F]{4})
    | \{(?P<least>\d*),\d+\}
    | (?P<open>\() | (?P<close>\))
    | (?P<plain>\\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_CODE = re.compile(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})")


class Sieve:
    """Expressions in their order, compiled once; safe to share between threads."""

    def __init__(self, patterns: Sequence[str]) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._places: list[int] = []
        self._always: list[int] = []
        for place, pattern in enumerate(patterns):
            try:
                self._set.Add(widened(pattern))
            except re2.error:  # what RE2 cannot read is tried on every text
                self._always.append(place)
            else:
                self._places.append(place)
        self._set.Compile()

    def possible(self, text: str) -> frozenset[int]:
        """The places of the expressions that may match; one that is left out matches nowhere in the text."""
        try:
            encoded = text.encode()
        except UnicodeEncodeError:  # half a surrogate pair
            return frozenset([*self._always, *self._places])
        return frozenset([*self._always, *(self._places[i] for i in self._set.Match(encoded) or ())])


def widened(pattern: str) -> str:
    """An expression for RE2 that matches wherever `pattern` of Python does, without what only forbids.

    Lookaround and edges go, classes grow by what is not ASCII, and repeats lose their upper bound.
    """
    made: list[str] = []
    skipped = 0
    for part in _PART.finditer(pattern):
        if skipped:
            skipped += bool(part["open"] or part["around"]) - bool(part["close"])
        elif part["around"]:
            skipped = 1
            made.append(_NOTHING)
        else:
            made.append(_widened(part))
    return "".join(made)


def _widened(part: re.Match[str]) -> str:
    if part["class"]:
        return _class(part["class"])
    if part["edge"]:
        return _NOTHING
    if part["kind"]:
        return f"[{_CLASSES[part['kind']]}]"
    if part["other"]:
        return _ANYTHING
    if code := part["byte"] or part["code"]:
        return rf"\x{{{code}}}"
    return f"{{{part['least'] or 0},}}" if part["least"] is not None else part[0]


def _class(written: str) -> str:
    """A class of characters; any character, where one forbids or cannot be read by RE2 alike."""
    if re.search(r"\\[WDS]|\[:", written) or (written.startswith("[^") and re.search(r"\\[wds]", written)):
        return _ANYTHING
    coded = _CODE.sub(lambda code: rf"\x{{{code[1] or code[2]}}}", written)
    return re.sub(r"\\([wds])", lambda kind: _CLASSES[kind[1]], coded)
