"""Language models that read, weigh and explain: asked in plain questions, answering in fixed forms, deciding nothing.

Knows the vocabulary of `domain` alone. The text of the guidelines, the facts and the material are handed in; what comes
back is an opinion whose evidence was found in the text, or an error.
"""
