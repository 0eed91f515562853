"""One process owns an embedded vector memory: a second one would read stale data without a word."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from domain.errors import SettingsError


@contextmanager
def owning(folder: Path) -> Iterator[None]:
    """Own `folder` for the length of the block. Raises SettingsError where another process does."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "owner.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SettingsError(
            f"another process uses the memory in {folder}. Talk to that service instead (--url), choose another "
            "CUPIDSSHIELD_DATA_DIR, or share a memory by CUPIDSSHIELD_CHROMA_URL or CUPIDSSHIELD_MCP_VECTOR_SEARCH_URL"
        ) from error
    try:
        yield
    finally:
        lock.release()
