"""Tells in one pass which of many regular expressions can match a text at all.

Most texts match no rule, and trying a hundred expressions one by one takes longer than everything else around the
model's pass. RE2 (Cox 2010, "Regular Expression Matching in the Wild") looks for the beginnings of all of them as one
automaton; what passes is left to the expressions themselves. RE2 knows neither lookaround nor Unicode's classes, and
gaps of any length between words would multiply the automaton's states. So of each expression a *lead* is looked for:
what every match must hold, up to the first gap, with all that only forbids left out.
"""

import re
from collections.abc import Sequence

import re2

_MEMORY = 32 << 20
"""Bytes that the automaton may grow to; then it starts its cache anew."""

_ANYTHING = r"[\x{0}-\x{10ffff}]"
_BEYOND = r"\x{80}-\x{10ffff}"
_CLASSES = {"w": "0-9A-Z_a-z" + _BEYOND, "d": "0-9" + _BEYOND, "s": r"\s\v\x{1c}-\x{1f}" + _BEYOND}
"""Contents of classes: what is beyond ASCII belongs to all of them."""

_MOST_COPIES = 1000
"""Of one part, in a row: RE2 reads no higher count."""

_TOKEN = re.compile(
    r"""(?P<around>\(\?<?[=!])
    | (?P<open>\((?:\?:|\?P<\w+>|(?!\?)))
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<edge>\\[bBAZ]|[\^$])
    | (?P<one>\[\^?\]?(?:\\.|[^\]\\])*\] | \\[wdsWDS] | \\x[0-9a-fA-F]{2} | \\u[0-9a-fA-F]{4} | \\[nrtfv] | \\[^\w\s]
        | [^\\{}*+?()|[\]] )
    | (?P<count>\{[0-9]*(?:,[0-9]+)?\}|[*+?])(?P<lazy>\?)?(?!\+)""",
    re.VERBOSE | re.DOTALL,
)
_IN_CLASS = re.compile(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})|\\([wds])|\\([nrtfv]|[^\w\s])|(\\|\[:)", re.DOTALL)


class Unreadable(ValueError):
    """An expression that uses more than is understood here."""


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
                self._set.Add(lead(pattern))
            except (Unreadable, UnicodeEncodeError, re2.error):  # what is not understood is tried on every text
                self._always.append(place)
            else:
                self._places.append(place)
        try:
            self._set.Compile()
        except re2.error:  # more expressions than the memory holds
            self._always, self._places = list(range(len(patterns))), []

    def possible(self, text: str) -> frozenset[int]:
        """The places of the expressions that may match; one that is left out matches nowhere in the text."""
        if not self._places:
            return frozenset(self._always)
        try:
            encoded = text.encode()
        except UnicodeEncodeError:  # half a surrogate pair
            return frozenset([*self._always, *self._places])
        return frozenset([*self._always, *(self._places[i] for i in self._set.Match(encoded) or ())])


def lead(pattern: str) -> str:
    """An expression for RE2 that matches in every text in which `pattern` of Python does. Raises Unreadable."""
    reader = _Reader(pattern)
    read, _ = reader.branches(first=True)
    if reader.token:
        raise Unreadable(f"{pattern!r} closes a group that it does not open")
    return read


class _Reader:
    """Reads an expression token by token, and writes its lead."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self.token: re.Match[str] | None = None
        self._next()

    def branches(self, *, first: bool) -> tuple[str, bool]:
        """Alternatives up to a closing parenthesis or the end, and whether one of them was cut at a gap.

        `first`: nothing that must match stands before. There, alternatives of which one asks for nothing are nothing.
        """
        read = [self._branch(first=first)]
        while self.token and self.token["bar"]:
            self._next()
            read.append(self._branch(first=first))
        texts, cut = [text for text, _ in read], any(cut for _, cut in read)
        return "" if first and "" in texts else "|".join(texts), cut

    def _branch(self, *, first: bool) -> tuple[str, bool]:
        made: list[str] = []
        cut = False
        while self.token and not (self.token["bar"] or self.token["close"]):
            text, gap = self._part(first=first and not made)
            if text and not cut:
                made.append(text)
            cut = cut or gap
        return "".join(made), cut

    def _part(self, *, first: bool) -> tuple[str, bool]:
        """One part with its count, and whether the branch must be cut after it.

        At the beginning an optional part is left out, of a repeated group the last copy stands for all, and a repeated
        character stands as often as it must: every match holds, from there on, what follows.
        """
        token = self.token
        assert token, "asked for only where there is one"
        self._next()
        if token["around"] or token["open"]:
            inside, cut = self.branches(first=first)
            self._close()
            least, most = self._count()
            if token["around"] or (first and not least):
                return "", False
            if not inside:
                return "", cut
            if first:
                least = most = 1
            if cut or least > _MOST_COPIES:
                return (f"(?:{inside})" if least else ""), True
            return f"(?:{inside}){_counted(least, most)}", False
        least, most = self._count()
        if token["edge"] or (first and not least):
            return "", False
        one = _one(token[0])
        if least == most or (least, most) == (0, 1):
            return one + _counted(least, most), False
        return (one + _counted(least, least) if least else ""), not first

    def _count(self) -> tuple[int, int | None]:
        """How often the part before is repeated: at least, and at most."""
        if not (self.token and self.token["count"]):
            return 1, 1
        written = self.token["count"]
        self._next()
        if self.token and self.token["count"]:
            raise Unreadable(f"{self._pattern!r} counts a count")
        if written in ("*", "+", "?"):
            return int(written == "+"), 1 if written == "?" else None
        low, comma, high = written[1:-1].partition(",")
        if not low and not comma:
            raise Unreadable(f"{self._pattern!r} holds empty braces")
        least = int(low or 0)
        return least, (int(high) if comma else least)

    def _close(self) -> None:
        if not (self.token and self.token["close"]):
            raise Unreadable(f"{self._pattern!r} leaves a group open")
        self._next()

    def _next(self) -> None:
        self.token = _TOKEN.match(self._pattern, self._at)
        if self.token:
            self._at = self.token.end()
        elif self._at < len(self._pattern):
            raise Unreadable(f"{self._pattern!r} cannot be read from character {self._at}")


def _counted(least: int, most: int | None) -> str:
    """A count as RE2 reads it; of more than the least, any number."""
    if (least, most) == (1, 1):
        return ""
    if (least, most) == (0, 1):
        return "?"
    return f"{{{least}}}" if least == most else f"{{{least},}}"


def _one(written: str) -> str:
    """One character, or a class that holds at least as much."""
    if written[0] == "[":
        return _class(written)
    if written[0] != "\\":
        return written
    kind, code = written[1], written[2:]
    if kind in _CLASSES:
        return f"[{_CLASSES[kind]}]"
    if kind in "WDS":
        return _ANYTHING
    return rf"\x{{{code}}}" if code else written


def _class(written: str) -> str:
    """A class of characters; any character, where one forbids what RE2 reads differently."""
    if re.search(r"\\[WDS]", written) or (written.startswith("[^") and re.search(r"\\[wds]", written)):
        return _ANYTHING

    def part(found: re.Match[str]) -> str:
        if found[5]:
            raise Unreadable(f"{written!r} holds an escape that is not understood")
        if code := found[1] or found[2]:
            return rf"\x{{{code}}}"
        return _CLASSES[found[3]] if found[3] else found[0]

    return written[0] + _IN_CLASS.sub(part, written[1:])
