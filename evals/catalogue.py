"""The public sets that the evaluations know: where each comes from, under which licence, and where it lies here.

A set is *at hand* when its original files or its normalised copy (`<name>.jsonl.gz`) lie in the folder of data sets or
in the cache, which `python -m evals.download` fills. Nothing is downloaded by the way. The checksums are of the files
at the commits named in the addresses; where an address cannot be pinned to a content, none is given.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from domain.errors import Invalid
from evals.judging import Text
from evals.public import load

GITHUB = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Original:
    """A file as its authors published it: the name that it has here, its address, and the SHA-256 of its content.

    Without an address it must be fetched by hand; without a checksum, a download needs one from its user.
    """

    file: str
    url: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class PublicSet:
    """A public set; `normalised` is the name of its copy in the normalised format, without `.jsonl.gz`."""

    name: str
    title: str
    licence: str
    home: str
    originals: tuple[Original, ...] = ()
    normalised: str | None = None

    def __str__(self) -> str:
        return f"{self.title}, {self.licence}, {self.home}"


_MULTILINGUAL = f"{GITHUB}/rewire-online/multilingual-hatecheck/a03f2caf2023a402d85064bda243e46d280408f0"
_MULTILINGUAL_SHA256 = {
    "arabic": "134d39c3b691801e24ab53fb14d3214fea69eb2b3c5288b3f00e31ca0ece1bee",
    "dutch": "df67042194bf33837e77126aa994e01201d84edec8f0b46acec8fed0322d595d",
    "french": "17cc2c7ec01ad28c31c1c53bbda8c7245b83e86d34017327964956ace1446586",
    "german": "ecdef4611b877120d0a8feec9c0cd0dfc1efec7ead4bbd62eaf32f6cc80d2ee0",
    "hindi": "ffebc31db02d59f603ac9728aa9b63d7db46de2cdc4c54468aabab82e5d8bd40",
    "italian": "5339cd1e0d6e338c7ae9b831e74d653d6216a25120214d92b5d98d25a1c20674",
    "mandarin": "d094336d73fb3b2817a04cac226687fcf91cb914deccd4d4096a85cf4a147414",
    "polish": "88b8f9cfe4484f2e7543a7b28983b10f5942f04cc87c904c653a01318b7d1c04",
    "portuguese": "839bcd08e59efb9a659ab3c7e82022844a57ae5babe705323a7956d2d9461ea8",
    "spanish": "20d2388f4f3bafe744010a42f1ce7ddd5b2b09efa978fb0d8a0fc810487948aa",
}
_LISTED = (
    PublicSet(
        "hatecheck",
        "HateCheck (Röttger et al. 2021)",
        "CC BY 4.0",
        "https://github.com/paul-rottger/hatecheck-data",
        (
            Original(
                "hatecheck_test_suite_cases.csv",
                f"{GITHUB}/paul-rottger/hatecheck-data/d84302298ceeb34f4b0dde2d8a1f4932c2caa612/test_suite_cases.csv",
                "ecf0dc1e93fccc90b6f880e632b19e635c0f0a68b3157915a9e20b6938f121cf",
            ),
        ),
        "hatecheck",
    ),
    PublicSet(
        "hatemoji",
        "HatemojiCheck (Kirk et al. 2022)",
        "CC BY 4.0",
        "https://github.com/HannahKirk/Hatemoji",
        (
            Original(
                "hatemoji_check_test.csv",
                f"{GITHUB}/HannahKirk/Hatemoji/a626f63216158748d072e581efc00267031f4404/HatemojiCheck/test.csv",
                "9aa6bf78370a87b56b7e117593e7c5e798a933083fe4cfd9bf1b26baf785a7da",
            ),
        ),
        "hatemoji_check",
    ),
    PublicSet(
        "multilingual",
        "Multilingual HateCheck (Röttger et al. 2022)",
        "CC BY 4.0",
        "https://github.com/rewire-online/multilingual-hatecheck",
        tuple(
            Original(
                f"hatecheck_cases_final_{language}.csv",
                f"{_MULTILINGUAL}/MHC%20Final%20Cases/hatecheck_cases_final_{language}.csv",
                sha256,
            )
            for language, sha256 in _MULTILINGUAL_SHA256.items()
        ),
        "multilingual_hatecheck_700",
    ),
    PublicSet(
        "madlibs",
        "madlibs of unintended bias (Dixon et al. 2018)",
        "Apache-2.0",
        "https://github.com/conversationai/unintended-ml-bias-analysis",
        (
            Original(
                "bias_madlibs_77k.csv",
                f"{GITHUB}/conversationai/unintended-ml-bias-analysis/9c7d91aaa53406a362354661a93e07956d95e59a"
                "/archive/unintended_ml_bias/eval_datasets/bias_madlibs_77k.csv",
                "aac542254cf158415ec74623d54fa76176f26a7e7d8ef20788e1748a05ba5b4c",
            ),
        ),
        "bias_madlibs_6k",
    ),
    PublicSet(
        "openai",
        "OpenAI moderation evaluation set (Markov et al. 2023)",
        "MIT",
        "https://github.com/openai/moderation-api-release",
        (
            Original(
                "samples-1680.jsonl.gz",
                f"{GITHUB}/openai/moderation-api-release/f4ab51b5edd3bfbcb349a56324274235b674e0e4"
                "/data/samples-1680.jsonl.gz",
                "ef3f7de86ee394fe337b0a566ba4b9c7db058f3caa8d6a4a0006138b663ab9a8",
            ),
        ),
    ),
    PublicSet(
        "toxicchat",
        "ToxicChat, version 0124, test (Lin et al. 2023)",
        "CC BY-NC 4.0",
        "https://huggingface.co/datasets/lmsys/toxic-chat",
        (
            Original(
                "toxic-chat_annotation_test.csv",
                "https://huggingface.co/datasets/lmsys/toxic-chat/resolve/main/data/0124/toxic-chat_annotation_test.csv",
            ),
        ),
    ),
    PublicSet(
        "jigsaw",
        "Jigsaw toxic comments (2018), test.csv joined with test_labels.csv by id",
        "CC0-1.0 (labels), CC BY-SA 3.0 (text)",
        "https://www.kaggle.com/c/jigsaw-toxic-comment-classification-challenge",
        (Original("jigsaw_toxic_comments.csv"),),
    ),
    PublicSet(
        "civil",
        "Civil Comments (Borkan et al. 2019), test_public_expanded.csv",
        "CC0-1.0",
        "https://www.kaggle.com/c/jigsaw-unintended-bias-in-toxicity-classification",
        (Original("civil_comments.csv"),),
    ),
    PublicSet(
        "surge_toxicity",
        "Surge AI toxicity",
        "MIT",
        "https://github.com/surge-ai/toxicity",
        (
            Original(
                "surge_toxicity_en.csv",
                f"{GITHUB}/surge-ai/toxicity/ea80324b95ed7e3cc787bdb6faeb763fcc0ae258/toxicity_en.csv",
                "3bfcdd54ab90c8bab232235226a00e28b0d457c3c19e87230f73dde1880e6c44",
            ),
        ),
        "surge_toxicity",
    ),
    PublicSet(
        "jigsaw_samples",
        "public samples of the Jigsaw comments",
        "CC0-1.0 (labels), CC BY-SA 3.0 (text)",
        "https://www.kaggle.com/c/jigsaw-toxic-comment-classification-challenge",
        normalised="jigsaw_samples",
    ),
    PublicSet(
        "civil_toxic_spans",
        "toxic spans of Civil Comments (Pavlopoulos et al. 2021)",
        "CC0-1.0",
        "https://github.com/ipavlopoulos/toxic_spans",
        normalised="civil_toxic_spans",
    ),
    PublicSet(
        "hatexplain",
        "HateXplain, validation and test (Mathew et al. 2021)",
        "MIT",
        "https://github.com/hate-alert/HateXplain",
        normalised="hatexplain_heldout",
    ),
    PublicSet(
        "stormfront",
        "posts of a white-supremacy forum (de Gibert et al. 2018)",
        "CC BY-SA 3.0",
        "https://github.com/Vicomtech/hate-speech-dataset",
        normalised="stormfront",
    ),
    PublicSet(
        "youtube_spam",
        "YouTube spam collection, Psy (Alberto et al. 2015)",
        "CC BY 4.0",
        "https://archive.ics.uci.edu/dataset/380/youtube+spam+collection",
        normalised="youtube_spam_psy",
    ),
    PublicSet(
        "topical_chat",
        "Topical-Chat (Gopalakrishnan et al. 2019)",
        "CDLA-Sharing-1.0",
        "https://github.com/alexa/Topical-Chat",
        normalised="topical_chat",
    ),
)
SETS = {known.name: known for known in _LISTED}


def cache() -> Path:
    """Where downloads are kept: `cupidsshield/datasets` in `$XDG_CACHE_HOME`, or else in `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cupidsshield" / "datasets"


def files(name: str, datasets: Path | None) -> tuple[Path, ...]:
    """The files of a set that is at hand: its originals before its normalised copy, `datasets` before the cache.

    Raises Invalid, which says what to put where, for one that is not.
    """
    if found := _kept(SETS[name], datasets):
        return found
    raise Invalid(f"{SETS[name].title} is not at hand: {how_to_get(SETS[name], str(datasets or cache()))}")


def is_at_hand(known: PublicSet, datasets: Path | None) -> bool:
    """Whether `files` finds it."""
    return bool(_kept(known, datasets))


def texts(name: str, datasets: Path | None, *, unknown_as_clean: bool = False) -> list[Text]:
    """All texts of a set that is at hand. Raises Invalid where it is not or cannot be read."""
    return [text for path in files(name, datasets) for text in load(path, unknown_as_clean=unknown_as_clean)]


def how_to_get(known: PublicSet, folder: str = "the folder of data sets") -> str:
    """What to do to have a set, as half a sentence."""
    ways = []
    if known.originals and all(original.sha256 for original in known.originals):
        ways.append(f"run `python -m evals.download {known.name}`")
    elif any(original.url for original in known.originals):
        ways.append(f"run `python -m evals.download {known.name} --sha256 …` with a checksum that you trust")
    if known.originals:
        named = ", ".join(original.file for original in known.originals)
        ways.append(f"fetch it from {known.home} and put it into {folder} as {named}")
    if known.normalised:
        ways.append(f"put its normalised copy {known.normalised}.jsonl.gz ({known.home}) into {folder}")
    return ", or ".join(ways)


def _kept(known: PublicSet, datasets: Path | None) -> tuple[Path, ...]:
    """Its files in the first place that holds it whole; empty where none does."""
    forms = [tuple(original.file for original in known.originals)]
    if known.normalised:
        forms.append((f"{known.normalised}.jsonl.gz",))
    for folder in filter(None, (datasets, cache())):
        for names in filter(None, forms):
            paths = tuple(folder / name for name in names)
            if all(path.is_file() for path in paths):
                return paths
    return ()
