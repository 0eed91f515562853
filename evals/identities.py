"""The identity terms by which the measures of unintended bias split a set, as the authors of the sets spelled them."""

import re
from dataclasses import replace

from evals.judging import Text

CIVIL = (
    "male",
    "female",
    "transgender",
    "other_gender",
    "heterosexual",
    "homosexual_gay_or_lesbian",
    "bisexual",
    "other_sexual_orientation",
    "christian",
    "jewish",
    "muslim",
    "hindu",
    "buddhist",
    "atheist",
    "other_religion",
    "black",
    "white",
    "asian",
    "latino",
    "other_race_or_ethnicity",
    "physical_disability",
    "intellectual_or_learning_disability",
    "psychiatric_or_mental_illness",
    "other_disability",
)
"""Columns of Civil Comments: the share of annotators who found that identity mentioned."""

MADLIBS = (
    "lesbian",
    "gay",
    "bisexual",
    "transgender",
    "trans",
    "queer",
    "lgbt",
    "lgbtq",
    "homosexual",
    "straight",
    "heterosexual",
    "male",
    "female",
    "nonbinary",
    "african",
    "african american",
    "black",
    "white",
    "european",
    "hispanic",
    "latino",
    "latina",
    "latinx",
    "mexican",
    "canadian",
    "american",
    "asian",
    "indian",
    "middle eastern",
    "chinese",
    "japanese",
    "christian",
    "muslim",
    "jewish",
    "buddhist",
    "catholic",
    "protestant",
    "sikh",
    "taoist",
    "old",
    "older",
    "young",
    "younger",
    "teenage",
    "millenial",
    "middle aged",
    "elderly",
    "blind",
    "deaf",
    "paralyzed",
)
"""Terms that the madlibs put into their templates (`bias_madlibs_data/adjectives_people.txt` of their repository)."""

_TERM = re.compile(rf"\b({'|'.join(sorted(MADLIBS, key=len, reverse=True))})\b", re.IGNORECASE)


def with_identity(text: Text) -> Text:
    """A sentence of the madlibs with the term that it names as slice, and itself without the term as group."""
    named = _TERM.search(text.text)
    return replace(text, slice=named.group(1).lower() if named else "", group=_TERM.sub("[identity]", text.text))
