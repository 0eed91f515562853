"""Downloads the files of a public set into the cache, and keeps none whose content is not the one that was promised.

Run by `python -m evals.download NAME…`; `all` means every set whose checksums are known.
"""

import argparse
import asyncio
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx2
from tqdm import tqdm

from domain.errors import CupidsShieldError, Invalid
from evals.catalogue import SETS, Original, PublicSet, cache, how_to_get

TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
"""Seconds."""

SHA256 = re.compile(r"[0-9a-f]{64}")


async def download(
    known: PublicSet,
    folder: Path,
    *,
    sha256: str | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> tuple[Path, ...]:
    """The files of a set in `folder`, fetched where they are not there yet with the promised content.

    `sha256` is the user's promise for a set of one file whose checksum is not known. Raises Invalid where a file has
    no address or checksum, cannot be had, or is not what was promised; what to do instead is in the message.
    """
    if sha256 is not None and len(known.originals) != 1:
        raise Invalid(f"{known.name} is not one file, so --sha256 cannot be its checksum; leave it out")
    if not known.originals:
        raise Invalid(f"{known.name} cannot be downloaded: {how_to_get(known, str(folder))}")
    async with httpx2.AsyncClient(follow_redirects=True, timeout=TIMEOUT, transport=transport) as http:
        return tuple([await _one(known, original, folder, sha256, http) for original in known.originals])


async def _one(
    known: PublicSet, original: Original, folder: Path, sha256: str | None, http: httpx2.AsyncClient
) -> Path:
    promised = (sha256 or original.sha256 or "").lower()
    if not original.url:
        raise Invalid(f"{original.file} cannot be downloaded without an account: {how_to_get(known, str(folder))}")
    if not SHA256.fullmatch(promised):
        raise Invalid(
            f"no SHA-256 of 64 hex digits is given for {original.file} ({original.url}); pass one that you trust as "
            f"--sha256, or put the file into {folder} yourself"
        )
    path = folder / original.file
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == promised:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        found = await _fetch(original.url, part, http)
        if found != promised:
            raise Invalid(
                f"{original.url} holds another file than promised: SHA-256 {found} where {promised} belongs. It was "
                f"not kept; {how_to_get(known, str(folder))}"
            )
        part.replace(path)
    except httpx2.HTTPError as error:
        raise Invalid(
            f"{original.url} cannot be had ({type(error).__name__}: {error}); without network, fetch it elsewhere and "
            f"put it into {folder} as {original.file}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


async def _fetch(url: str, to: Path, http: httpx2.AsyncClient) -> str:
    """The SHA-256 of what was written to `to`."""
    digest = hashlib.sha256()
    async with http.stream("GET", url) as response:
        response.raise_for_status()
        size = int(response.headers.get("content-length", 0)) or None
        with to.open("wb") as file, tqdm(total=size, desc=to.stem, unit="B", unit_scale=True, leave=False) as bar:
            async for chunk in response.aiter_bytes():
                digest.update(chunk)
                file.write(chunk)
                bar.update(len(chunk))
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Download the sets that are named; 1 where one of them could not be had."""
    parser = argparse.ArgumentParser(prog="python -m evals.download", description=__doc__)
    parser.add_argument("sets", nargs="+", choices=[*SETS, "all"], metavar="NAME", help=f"{', '.join(SETS)} or all")
    parser.add_argument("--sha256", help="checksum to demand of a set of one file")
    parser.add_argument("--to", type=Path, default=cache(), help="folder, default %(default)s")
    chosen = parser.parse_args(arguments)
    pinned = [s.name for s in SETS.values() if s.originals and all(original.sha256 for original in s.originals)]
    failed = False
    for name in pinned if "all" in chosen.sets else chosen.sets:
        try:
            for path in asyncio.run(download(SETS[name], chosen.to, sha256=chosen.sha256)):
                print(path)
        except CupidsShieldError as error:
            failed = True
            print(error, file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
