"""The secret that signs links and what browsers keep: the one that is set, or one that development makes once."""

import os
import secrets

from cupidsshield.settings import MIN_SECRET, Settings
from domain.errors import SettingsError

FILE = "secret"


def signing_secret(settings: Settings) -> str:
    """The secret in use. Raises SettingsError where the file that keeps it is not what we wrote."""
    if settings.secret:
        return settings.secret.get_secret_value()
    path = settings.data_dir / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{FILE}-{secrets.token_hex(8)}")
    if not path.exists():
        # Written aside and linked into place: of two processes that start at once, one wins and both read the same.
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(MIN_SECRET), "ascii")
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    kept = path.read_text("ascii").strip()
    if len(kept) < MIN_SECRET:
        raise SettingsError(f"{path} does not hold a secret; remove it, or set CUPIDSSHIELD_SECRET")
    return kept
