"""Sets a text among harmless sentences, as somebody does who hides a violation, or who simply has much to tell.

The sentences are this module's own: training knows none of them.
"""

import random

BEFORE_AND_AFTER = (2, 5)
"""Fewest and most sentences that are put around a text."""

SENTENCES = (
    "Work was slow today, so I cleaned out the kitchen drawers.",
    "My sister came over with her two kids and we baked banana bread.",
    "It finally stopped raining around four.",
    "I think I'll try the new noodle place near the station this weekend.",
    "The dog slept the whole afternoon on my feet.",
    "We watched the second season in one go, which was a mistake.",
    "How was your presentation, did they like it?",
    "I booked the train for the fourteenth, window seat.",
    "The neighbours are building something again.",
    "I've been learning to play the ukulele, badly.",
    "There's a market by the river on Sundays, with good cheese.",
    "My coffee machine broke and I am not myself.",
    "Mum says hello, she remembers you from the photo.",
    "I ran five kilometres without stopping for the first time.",
    "The new manager seems nice so far.",
    "I still have to pack for the trip.",
    "They repainted the stairwell and now everything smells of it.",
    "We lost the quiz by one point, over a river in Canada.",
    "Lunch was soup again, but the good one.",
    "I found my old camera and it still works.",
)


def among_small_talk(text: str, seed: int) -> str:
    """The text somewhere among harmless sentences, closed by a full stop where it has no end of its own."""
    dice = random.Random(f"small talk\n{seed}\n{text}")
    parts = dice.sample(SENTENCES, dice.randint(*BEFORE_AND_AFTER))
    parts.insert(dice.randint(0, len(parts)), text if text[-1:] in ".!?…" else f"{text}.")
    return " ".join(parts)
