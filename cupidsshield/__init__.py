"""The front door: settings, the one place that wires everything, and the command line."""

from importlib.metadata import version

__version__ = version("cupidsshield")
