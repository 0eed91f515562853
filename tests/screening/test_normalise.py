"""Disguises are undone and shown; ordinary writing is left alone; positions lead back to the posted text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screening.disguises import (
    BROKEN,
    EMOJI_LETTERS,
    INVISIBLE,
    LEET,
    MAX_EVIDENCE,
    MIXED,
    OVERRIDE,
    SELECTORS,
    SPACED,
    STACKED,
    STYLED_LETTERS,
    TAGS,
)
from screening.emoji import MAX_NAMED_EMOJI
from screening.normalise import normalise


def found(posted: str) -> set[str]:
    return {evidence.note for evidence in normalise(posted).hidden}


@pytest.mark.parametrize(
    ("posted", "plain", "disguise"),
    [
        # Leet, also at the edges of words and in words of a text that is full of it.
        ("m0n3y and c@sh", "money and cash", LEET),
        ("s3x", "sex", LEET),
        ("f@gg0t", "faggot", LEET),
        ("i will k!ll you", "i will kill you", LEET),
        ("$exy girl5 c0me 0v3r", "sexy girls come over", LEET),
        ("1 w1ll k1ll y0u 4nd y0ur f4m1ly", "1 will kill you and your family", LEET),
        ("m€ and ni99er", "m€ and nigger", LEET),
        # Look-alikes: Cyrillic, Greek, Cherokee, Armenian and mathematical letters, also of one letter.
        ("раураl me", "paypal me", MIXED),
        ("sеnd it", "send it", MIXED),
        ("sεnd mοnεy", "send money", MIXED),
        ("ᎪdᎠ Ꮇe", "AdD Me", MIXED),
        ("рау is what ѕhе ԝаnts", "pay is what she wants", MIXED),
        ("рау me", "pay me", MIXED),
        ("m𝗼ney", "money", STYLED_LETTERS),
        ("m𝓸n𝖾y", "money", STYLED_LETTERS),
        ("mｏney", "money", STYLED_LETTERS),
        # The other way round: Latin letters in Cyrillic words.
        ("пришли дeньги cрoчнo", "пришли деньги срочно", MIXED),
        # What cannot be seen.
        ("s\u200bend c\u2060ash", "send cash", INVISIBLE),
        ("k\u00adi\u00adl\u00adl", "kill", INVISIBLE),
        ("se\u206and", "send", INVISIBLE),
        ("a\ufe01\ufe02\ufe03b", "ab", SELECTORS),
        ("hi\U000e0068\U000e0069 there", "hi there", f"{TAGS} spelling “hi”"),
        ("\u202eolleh", "olleh", OVERRIDE),
        ("h\u0338\u0353\u0308i", "hi", STACKED),
        # Letters set apart by anything.
        ("w h a t s a p p me", "whatsapp me", SPACED),
        ("w.h.a.t.s.a.p.p now", "whatsapp now", SPACED),
        ("send m o n e y now", "send money now", SPACED),
        ("i will k  i  l  l you", "i will kill you", SPACED),
        ("i will k\ti\tl\tl you", "i will kill you", SPACED),
        ("i will k\ni\nl\nl you", "i will kill you", SPACED),
        ("i will k🔪i🔪l🔪l you", "i will kill you", SPACED),
        ("i will k.i-l_l you", "i will kill you", SPACED),
        ("i will (k)(i)(l)(l) you", "i will (kill) you", SPACED),
        ("now s e n d  m e  m o n e y please", "now send me money please", SPACED),
        ("now s e n d m e m o n e y please", "now send me money please", SPACED),
        ("now s.e-n d n-u.d e-s please", "now send nudes please", SPACED),
        ("please k r y t o r x now", "please krytorx now", SPACED),
        # Words broken into pieces.
        ("send mo\nney to my wha\ntsapp", "send money to my whatsapp", BROKEN),
        ("send mo.ney by whatsa.pp", "send money by whatsapp", BROKEN),
        ("send mo😂ney by wha😂tsapp", "send money by whatsapp", BROKEN),
        ("wh.atsa.pp", "whatsapp", BROKEN),
        # Emoji that show letters.
        ("🇰🇮🇱🇱 him", "kill him", EMOJI_LETTERS),
        ("🇰 🇮 🇱 🇱 him", "kill him", EMOJI_LETTERS),
        ("m⭕ney for s❌x", "money for s x", EMOJI_LETTERS),
        ("m⭕ney now", "money now", EMOJI_LETTERS),
    ],
)
def test_a_disguise_is_undone_and_shown(posted: str, plain: str, disguise: str) -> None:
    normalised = normalise(posted)
    assert " ".join(normalised.text.split()) == plain
    assert disguise in found(posted)


@pytest.mark.parametrize(
    ("posted", "plain"),
    [
        ("𝓗𝓮𝓵𝓵𝓸 𝓽𝓱𝓮𝓻𝓮", "Hello there"),
        ("ｆｒｅｅ money", "free money"),
        ("ᴡʜᴀᴛꜱᴀᴘᴘ", "whatsapp"),
        ("Wᴇ ᴀʀᴇ ɢɪғᴛs", "We are gifts"),
        ("🅢🅔🅝🅓", "send"),
        ("Ⓢⓔⓝⓓ 🆓 🄼🄾🄽🄴🅈", "Send free money"),
        ("1️⃣2️⃣3️⃣", "123"),
        ("sEnD mE mOnEy nOw", "Send me money now"),
        ("h e l l o ~ nice to meet you", "hello ~ nice to meet you"),
        ("✨ w e l c o m e ✨ to my page", "sparkles welcome sparkles to my page"),
        ("h̷e̷l̷l̷o̷ t̷h̷e̷r̷e̷", "hello there"),
        ("soooo happyyyy, yesss", "so happy, yes"),
        ("mooooneyyyy and kiiiill", "money and kill"),
        ("I👏am👏not👏going", "I am not going"),
        ("n e v e r", "never"),
        ("K-I-S-S-I-N-G in a tree", "KISSING in a tree"),
        ("beauti-\nful", "beautiful"),
        ("send mo\nney please", "send money please"),
        ("🅱oneless", "boneless"),
    ],
)
def test_a_style_is_read_and_hides_nothing(posted: str, plain: str) -> None:
    assert " ".join(normalise(posted).text.split()) == plain
    assert found(posted) == set()


ORDINARY = [
    "I love hiking! What trails do you recommend?",
    "café, naïve, Zoë, señor, e\u0301, 3º piso",
    "Привет, как дела? Я работаю в банке, она сказала хорошо",
    "she only says нет or да to me, and опора",
    "καλημέρα, τι κάνεις",
    "नमस्ते, आप कैसे हैं",
    "می\u200cخواهم",
    "U.S.A. and R.S.V.P. and P.S. I live in the U.K., w/ two dogs b/c why not, e.g. a b c",
    "S.W.A.T., N.A.S.A. and the J. R. R. Tolkien club",
    "a b c d e f g, do re mi, x o x o, T_T o_o, X Y Z",
    "at7pm, 10k, iphone15pro, b4u, h1b, 5ft10, gr8, masc4masc, t4t, m4w",
    "ps5, mp3s, s1e4, c3po, 80s, 1st, 2day, 5miles, 3some, covid19, maroon5, A$AP",
    "$5, $20k, €15, 100%, 5pm-7pm, 7:30, 12/11/2024, 555-123-4567",
    "joe55e@home.com and www.l33t.com/a1b, my ig is @k3v1n_92 or k3v1n92",
    "wow!great, she|they, lunch@noon, I m ok, hi!i am here, so MUCH!!I swear",
    "she only says он to me",
    "e-mail me about the t-shirt and the co-op",
    "a so-so x-ray of a twenty-one year old",
    "he/him, she/they, and/or, w/out",
    "The quiet pond, some\none waits there alone\nand nothing at all",
    "(╯°□°)╯︵ ┻━┻ and ¯\\_(ツ)_/¯ and ʕ•ᴥ•ʔ and <3 :) xD",
    " /\\_/\\ \n( o.o )\n > ^ <\n",
    "hmmm brrr zzz www.aaa.com",
    "PayPal, TikTok and YouTube, iPhone, McDonald",
    "wait... what?? no!!! ok—fine – sure",
    "I'm w-w-wondering, d-don't go",
    "o n e",
]


@pytest.mark.parametrize("posted", ORDINARY)
def test_ordinary_writing_hides_nothing(posted: str) -> None:
    assert found(posted) == set()


@pytest.mark.parametrize(
    "posted", [text for text in ORDINARY if text.isascii() and "hmmm" not in text and text != "o n e"]
)
def test_ordinary_writing_stays_as_it_is(posted: str) -> None:
    assert normalise(posted).text == posted


@pytest.mark.parametrize(
    "posted",
    [
        "hi 👩\u200d👩\u200d👧 ❤\ufe0f👍🏽",
        "🇺🇸🇫🇷🇪🇺 trip, 🇬🇧",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f supporter",
        "✨🌸🌙💕🦋🌈🔥😂🎶 she/her 💫🌻",
        "1️⃣ first 🔟/10 🆗",
        "soft\u00adhyphen in a para\u00adgraph",
        "I❤️you so much",
        "カタカナ ＡＢＣ",
        "𝓛𝓾𝓷𝓪 | 24 | 𝒸𝒶𝓃𝒸ℯ𝓇",
        "ᵗᶦⁿʸ ᵗᵉˣᵗ",
    ],
)
def test_emoji_and_fonts_hide_nothing(posted: str) -> None:
    assert found(posted) == set()


def test_one_slip_is_no_disguise_and_two_are() -> None:
    assert found("send mo\nney please") == set()
    assert found("send mo\nney by wha\ntsapp") == {BROKEN}


def test_leet_at_the_edge_of_a_word_needs_more_leet_beside_it() -> None:
    assert normalise("only 5miles from home").text == "only 5miles from home"
    assert normalise("0nly 5m1le5 fr0m h0me").text == "only smiles from home"


@pytest.mark.parametrize(
    ("posted", "plain"),
    [
        ("SEND ME MONEY. NOW!", "Send me money. Now!"),
        ("GEL BURAYA İYİ İNSAN", "Gel buraya iyi insan"),
        ("ПРИШЛИ МНЕ ДЕНЕГ", "Пришли мне денег"),
        ("Meet me at the BBC at 5", "Meet me at the BBC at 5"),
        ("LOL OK", "LOL OK"),
        ("GO AND KILL YOURSELF lol ok", "Go and kill yourself lol ok"),
        ("he said GET OUT OF HERE and left", "he said get out of here and left"),
        ("SEND MONEY https://pay.example/X1 @lisa_99", "Send money https://pay.example/X1 @lisa_99"),
        ("ШУТКИ В СТОРОНУ\nДЕНЬГИ ГДЕ", "Шутки в сторону\nДеньги где"),
        ("NASA is GREAT and i KNOW it", "NASA is GREAT and i KNOW it"),
    ],
)
def test_shouting_is_read_as_speech_and_hides_nothing(posted: str, plain: str) -> None:
    normalised = normalise(posted)
    assert normalised.text == plain
    assert not normalised.hidden


@pytest.mark.parametrize(
    ("posted", "forms"),
    [
        ("see you at 5", ("see you at 5",)),
        ("SEE YOU AT FIVE", ("See you at five",)),
        ("İYİ GÜNLER CANIM", ("Iyi günler canim",)),
        ("s e n d money", ("s e n d money", "send money")),
    ],
)
def test_a_model_reads_both_forms_where_letters_differ(posted: str, forms: tuple[str, ...]) -> None:
    assert normalise(posted).forms == forms


@pytest.mark.parametrize(
    ("posted", "plain"),
    [
        ("love you 😂 bye", "love you face with tears of joy bye"),
        ("love😂you", "love you"),
        ("14💀dont be weird", "14 dont be weird"),
        ("I❤you", "I love you"),
        ("love😂😂you", "love you"),
        ("half💀💀price💦💦brows😈😈now", "half price brows now"),
        ('he went "lol😂" and left', 'he went "lol face with tears of joy" and left'),
        ("(😂) kill you🔪", "(face with tears of joy) kill you knife"),
        ("hold 2️⃣ for 4️⃣ days", "hold 2 for 4 days"),
        ("come🔪here", "come knife here"),
        ("half💀price💦brows this💦week😈@brows", "half price brows this week @brows"),
        ("wh💰ole day with❤you and mon🔪ey", "whole day with you and money"),
    ],
)
def test_emoji_are_named_and_those_that_stand_for_spaces_are_read_as_such(posted: str, plain: str) -> None:
    assert normalise(posted).text.split() == plain.split()


def test_emoji_that_stand_for_words_are_read_by_their_meaning() -> None:
    assert normalise("🫵 need 💰 or 🔪").text.split() == ["you", "need", "money", "or", "knife"]


def test_a_latin_text_is_not_excused_by_one_word_of_another_alphabet() -> None:
    assert normalise("привет, send me раураl money now").text == "привет, send me paypal money now"


def test_a_russian_text_keeps_words_that_look_latin() -> None:
    text = "он был там, и рот, и сор, и нос"
    assert normalise(text).text == text


def test_evidence_points_at_the_posted_text() -> None:
    normalised = normalise("please s\u200be\u200bnd m0ney")
    start = normalised.text.index("send")
    assert normalised.evidence(start, start + 4).quote == "s\u200be\u200bnd"


@pytest.mark.parametrize(
    ("posted", "word", "quote"),
    [
        ("add w h a t s a p p ok", "whatsapp", "w h a t s a p p"),
        ("s e n d  m e  m o n e y", "money", "m o n e y"),
        ("my mo\nney box", "money", "mo\nney"),
        ("so 🇰🇮🇱🇱 him", "kill", "🇰🇮🇱🇱"),
        ("a mooooney box", "money", "mooooney"),
        ("m⭕ney box", "money", "m⭕ney"),
    ],
)
def test_a_word_leads_back_to_how_it_was_posted(posted: str, word: str, quote: str) -> None:
    normalised = normalise(posted)
    start = normalised.text.index(word)
    assert normalised.evidence(start, start + len(word)).quote == quote


def test_a_flood_of_emoji_does_not_grow_the_text_without_end() -> None:
    text = normalise("😂😀" * 10_000).text
    assert len(text) < 25_000
    assert text.count("face") <= MAX_NAMED_EMOJI


def test_evidence_is_kept_short() -> None:
    assert len(normalise("m0ney, " * 200).hidden) == MAX_EVIDENCE


@pytest.mark.parametrize(
    "piece",
    [
        "a b ",
        "a.",
        "w1",
        "sEn D",
        "😂a",
        "🇰",
        "аe",
        "aд",
        "e\u0301\u0337",
        "mo\nney ",
        "q w e r",
        "z",
        "A",
        "A B",
        "İ",
        "❤a",
        "😂😂",
        "2️⃣ ",
        "🅰",
        "m⭕",
        "lll",
        "ab-cd.",
    ],
)
def test_a_hostile_text_is_read_to_its_end(piece: str) -> None:
    """With a step that is not linear this would not come back: a text of this length has 10^10 pairs of positions."""
    text = (piece * 100_000)[:100_000]
    normalised = normalise(text)
    assert normalised.offsets[-1] == len(text)


POSTED = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("a0e3 .-@$\n\u200b\u202e\ufe0f\u0301\u0337аеο😂👩\u200d\U000e0041ｆ𝓗🇰🇮⭕🅰ᴀAİßﬀ❤Ⓜ"),
    ),
    max_size=80,
)
WORDS = st.lists(
    st.sampled_from(
        ["k i l l", "mo\nney", "m0n3y", "🇰🇮🇱🇱", "sEnD", "soooo", "w.h.a.t", "раураl", "hi", "😂", "\n", "-"]
    ),
    max_size=12,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(POSTED, WORDS))
def test_every_position_leads_back_into_the_posted_text(text: str) -> None:
    normalised = normalise(text)
    assert len(normalised.offsets) == len(normalised.text) + 1
    assert list(normalised.offsets) == sorted(normalised.offsets)
    assert normalised.offsets[-1] == len(text)
    for evidence in normalised.hidden:
        assert text[evidence.start : evidence.end] == evidence.quote
    for start in range(len(normalised.text)):
        evidence = normalised.evidence(start, start + 1)
        assert evidence.quote == text[evidence.start : evidence.end] != ""


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abcdefghij klmnop,.?'\n", max_size=200))
def test_plain_letters_keep_their_positions(text: str) -> None:
    normalised = normalise(text)
    for position, character in enumerate(normalised.text):
        if not character.isspace():
            assert text[normalised.offsets[position]] == character
