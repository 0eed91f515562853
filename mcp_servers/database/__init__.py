"""The database server: the record of cases, people, reviews and numbers."""
