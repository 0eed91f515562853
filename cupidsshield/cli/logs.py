"""Logging of the process: one line each on stderr, no content and no secrets (I14)."""

import logging


def configure(level: str) -> None:
    """Set up logging before anything else does."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    for noisy in ("httpx", "httpx2", "httpcore", "httpcore2", "chromadb", "alembic", "mcp", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
