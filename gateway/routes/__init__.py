"""The routes of the public API, one file for each thing that they speak of."""
