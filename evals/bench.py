"""Speed and memory of the service, beside the raw forward pass of its model, in one run.

The forward pass is the physical limit on a machine without a GPU; what the service adds is the ratio.
Run by `make bench`. The figures of one machine are in evals/reports/bench.md.
"""

import argparse
import asyncio
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
from rich.console import Console
from rich.table import Table

from cupidsshield.samples import held_out
from cupidsshield.settings import read_settings
from evals.service import RunningService, running
from screening.model import EmbeddedModel

REPORT = Path(__file__).parent / "reports" / "bench.md"
CONCURRENCIES = (1, 8, 32)
FORWARD_BATCH = 16


@dataclass(frozen=True)
class Load:
    """One run of `/moderate` at one concurrency. Times in milliseconds."""

    concurrency: int
    per_second: float
    p50: float
    p95: float
    p99: float


def forward_passes(texts: Sequence[str], threads: int, seconds: float) -> float:
    """Messages a second through the bare model, in batches, without any of the service."""
    model = EmbeddedModel.load(read_settings().model_folder, threads=threads)
    batches = [texts[i : i + FORWARD_BATCH] for i in range(0, len(texts), FORWARD_BATCH)]
    model.score(batches[0])
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        batch = batches[(done // FORWARD_BATCH) % len(batches)]
        model.score(batch)
        done += len(batch)
    return done / elapsed


async def moderate_all(service: RunningService, texts: Sequence[str], concurrency: int, count: int, name: str) -> Load:
    """Post `count` messages, `concurrency` at a time."""
    waits: list[float] = []
    numbers = iter(range(count))
    limits = httpx2.Limits(max_connections=concurrency)
    headers = {"X-API-Key": service.key}
    async with httpx2.AsyncClient(base_url=service.url, headers=headers, limits=limits, timeout=60) as http:

        async def worker() -> None:
            for number in numbers:
                body = {
                    "content": texts[number % len(texts)],
                    "content_id": f"{name}-{concurrency}-{number}",
                    "user_id": f"user-{number % 500}",
                }
                sent = time.perf_counter()
                response = await http.post("/api/v1/moderate", json=body)
                response.raise_for_status()
                waits.append((time.perf_counter() - sent) * 1_000)

        started = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        elapsed = time.perf_counter() - started
    cuts = statistics.quantiles(waits, n=100)
    return Load(concurrency, count / elapsed, cuts[49], cuts[94], cuts[98])


def main() -> None:
    """Measure and print; with --write also keep the report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1_000, help="messages at each concurrency")
    options.add_argument("--seconds", type=float, default=5.0, help="seconds of bare forward passes")
    options.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    chosen = options.parse_args()
    texts = [sample.text for sample in held_out(400)]
    clean = [sample.text for sample in held_out(400) if sample.label == "clean"]
    raw = {threads: forward_passes(texts, threads, chosen.seconds) for threads in (1, 2)}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), rate_limit="1000000/second") as service:
        at_rest = service.resident_mb()
        asyncio.run(moderate_all(service, clean, 4, 100, "warm-up"))
        mixes = {"mixed, half violating": texts, "clean": clean}
        loads = {
            (name, concurrency): asyncio.run(moderate_all(service, mix, concurrency, chosen.count, name))
            for name, mix in mixes.items()
            for concurrency in CONCURRENCIES
        }
        under_load = service.resident_mb()
    _report(raw, loads, at_rest, under_load, write=chosen.write)


def _report(
    raw: dict[int, float], loads: dict[tuple[str, int], Load], at_rest: float, under_load: float, *, write: bool
) -> None:
    speed = Table("traffic", "at once", "decisions/s", "p50 ms", "p95 ms", "p99 ms", "share of forward pass (1 thread)")
    for (name, concurrency), load in loads.items():
        times = [f"{value:.1f}" for value in (load.p50, load.p95, load.p99)]
        speed.add_row(name, str(concurrency), f"{load.per_second:.0f}", *times, f"{load.per_second / raw[1]:.2f}")
    console = Console(record=True, width=120)
    passes = ", ".join(f"{rate:.0f}/s on {threads} thread{'s' * (threads > 1)}" for threads, rate in raw.items())
    console.print(f"raw forward pass: {passes} (batches of {FORWARD_BATCH})")
    console.print(speed)
    console.print(f"resident memory: {at_rest:.0f} MB at rest, {under_load:.0f} MB after the load")
    console.print(f"{platform.machine()}, Python {platform.python_version()}; the load came from the same machine")
    if write:
        REPORT.write_text(
            f"# Speed and memory\n\nPrinted by `make bench`.\n\n```\n{console.export_text()}```\n", "utf-8"
        )


if __name__ == "__main__":
    main()
