"""Letters that look like an ASCII letter but are another character.

A compact table of what is seen in dating messages, not the whole of Unicode's list: each entry must
look the same to a hurried reader. Letters of living languages (ł, ø, ß) are no disguise and stay out.
"""

_PAIRS = (
    # Cyrillic
    "аaвbсcԁdеeһhіiјjкkӏlмmнhоoрpԛqгrѕsтtцuѵvԝwхxуyпn"
    "АAВBСCЕEНHІIЈJКKМMОOРPЅSТTХXУYԜWԌG"
    # Greek
    "αaβbεeηnιiκkνvοoρpτtυuχxωwγy"
    "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧX"
    # Armenian and Cherokee
    "ոnսuօoհhցgքpᎪAᎬEᎻHᏔWᏙVᎢTᏚSᏀGᎷMᏃZ"
)
LOOKALIKES: dict[str, str] = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
"""Letters of other alphabets: a disguise only in a word, or a text, that is otherwise Latin."""

_STYLED = "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpǫqʀrꜱsᴛtᴜuᴠvᴡwʏyᴢzɑaɡgɩiⅼlǀlʋv"
STYLED: dict[str, str] = dict(zip(_STYLED[::2], _STYLED[1::2], strict=True))
"""Small capitals and phonetic letters, which no ordinary word of a dating message holds."""

for _first in (0x1F130, 0x1F150, 0x1F170):
    STYLED |= {chr(_first + letter): chr(ord("A") + letter) for letter in range(26)}
