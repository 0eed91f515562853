"""Letters that look like another letter: other alphabets', decorative ones, and digits, signs and emoji.

Compact tables of what is seen in dating messages, not the whole of Unicode's list of confusables (UTS 39):
each entry must look the same to a hurried reader. Letters of living Latin alphabets (ł, ø, ß) are no disguise.
"""

_PAIRS = (
    # Cyrillic
    "аaвbсcԁdеeһhіiјjкkӏlмmнhоoрpԛqгrѕsтtцuѵvԝwхxуyпnҽeѡwүy"
    "АAВBСCЕEНHІIЈJКKМMОOРPЅSТTХXУYԜWԌGӀlҮYҺhԚQѴV"
    # Greek
    "αaβbεeηnιiκkνvοoρpτtυuχxωwγyϲcϳjσo"
    "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹCϜF"
    # Armenian
    "ոnսuօoհhցgքpզqաwՏSՕOՍU"
    # Cherokee, Canadian syllabics, Coptic and Lisu, which reach dating apps as letters of decorative fonts
    "ᎠDᎡRᏆIᎢTᎥiᎩYᎪAᎫJᎬEᎳWᎷMᎻHᏀGᏂhᏃZᏏbᏒRᏔWᏕSᏙVᏚSᏞLᏟCᏢPᏦKᏧdᏳGᏴBꭵiꭺaꭰdꭼeꮋhꭻjꮶkꮮlꮇmꮲpꭱrꮪsꭲtꮃwꭹyꮓzꮩvꮯcꮐgᏼb"
    "ᐯVᑌUᑭPᑯdᑲbᒍJᒪLᕼHᖇRᖴFᗅAᗩAᗞDᗪDᗰMᗷB᙭XᑕCᗴEᘜGᑎNᔕSᗯWᘔZ"
    "ⲅrⲎHⲒIⲔKⲘMⲚNⲞOⲟoⲢPⲣpⲤCⲥcⲦTⲨYⲬXⳐL"
    "ꓐBꓑPꓓDꓔTꓖGꓗKꓙJꓚCꓜZꓝFꓟMꓠNꓡLꓢSꓣRꓦVꓧHꓪWꓫXꓬYꓮAꓰEꓲIꓳOꓴU"
)
LOOKALIKES: dict[str, str] = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
"""Letters of other alphabets: a disguise only in a word, or a text, that is otherwise Latin."""

_TWINS = "aаcсeеiіjјkкoоpрsѕtтxхyуAАBВCСEЕHНIІJЈKКMМOОPРSЅTТXХYУ"
CYRILLIC_TWINS: dict[str, str] = dict(zip(_TWINS[::2], _TWINS[1::2], strict=True))
"""Latin letters that stand in for Cyrillic ones in a word that is otherwise Cyrillic."""

_SMALL_CAPITALS = "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpǫqʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz"
_PHONETIC = "ɑaɡgɩiⅼlǀlʋvɨiʂsʈtɾrɱmɲnɳnɦhɓbɗdɠgɟjʝjƙkƥpƭtɯwʍwꞙfⱺoꭇr"
SMALL_CAPITALS = frozenset(_SMALL_CAPITALS[::2])
STYLED: dict[str, str] = dict(zip((_SMALL_CAPITALS + _PHONETIC)[::2], (_SMALL_CAPITALS + _PHONETIC)[1::2], strict=True))
"""Small capitals, phonetic and boxed letters, which no ordinary word of a dating message holds. Boxed ones are capitals
all, which says nothing: they are read as small ones."""

for _first in (0x1F130, 0x1F150, 0x1F170):
    STYLED |= {chr(_first + letter): chr(ord("a") + letter) for letter in range(26)}

LEET: dict[str, str] = {
    **{"0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g"},
    **{"@": "a", "$": "s", "!": "il", "|": "li", "+": "t", "€": "e", "£": "l", "¢": "c", "¥": "y", "₿": "b", "₦": "n"},
}
"""Digits and signs, and the letters that each may stand for, the likeliest first."""

EMOJI_LETTERS: dict[str, str] = {
    emoji: letter
    for letter, stand_ins in {
        "o": "⭕🔴🟠🟡🟢🔵🟣🟤⚫⚪🌕🌑🌝🌞🌍🌎🌏🍩🏀⚽⚾🎾🏐❤♥💛💚💙💜🧡🖤🤍🤎⭐🌟💿🪙🍊🌐👁",
        "x": "❌❎✖",
        "i": "❗❕ℹ🕯",
        "t": "✝➕🌴",
        "s": "💲🐍💰",
        "a": "🔺▲🎪",
        "c": "🌙🌛☪",
        "l": "👢",
        "e": "📧",
        "y": "✌",
    }.items()
    for emoji in stand_ins
}
"""Emoji that stand for a letter inside a word: m⭕ney, se❌."""

_FLAGS = (
    "ACADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCPCRCUCVCWCX"
    "CYCZDEDGDJDKDMDODZEAECEEEGEHERESETEUFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUICIDIEILIMINIO"
    "IQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNE"
    "NFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTATCTDTFTG"
    "THTJTKTLTMTNTOTRTTTVTWTZUAUGUMUNUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW"
)
FLAGS = frozenset(_FLAGS[i : i + 2] for i in range(0, len(_FLAGS), 2))
"""Pairs of regional indicators that show a flag (Unicode emoji 16); others are read as the letters they show."""

MEANINGS: dict[str, str] = {
    **{"🔪": "knife", "🔫": "gun", "🫵": "you", "💵": "dollars", "💸": "money", "💰": "money", "🐝": "bee"},
    **{"🪦": "grave", "🤡": "clown", "🐷": "pig", "🐵": "monkey", "💩": "shit", "📞": "phone", "📱": "phone"},
    **{"🏠": "house", "📷": "picture", "📸": "picture", "🚫": "no", "💲": "dollars", "☠": "death", "❤": "love"},
    **{"🔞": "over 18", "📲": "phone", "☎": "phone", "💳": "card", "🎁": "gift", "🏦": "bank", "🗡": "dagger"},
    **{"🍆": "eggplant", "🍑": "peach", "👁": "I", "💯": "hundred", "🔟": "10"},
}
"""What emoji are taken to mean where their Unicode name would not say it."""
