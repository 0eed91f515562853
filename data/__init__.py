"""Everything that is kept: tables, migrations, the vector memory, the corpus and the models.

One module per aggregate holds its table and its functions. Functions take `session` first and never
commit: `Database.write` owns the commit. Nothing here knows policies or screening.
"""
