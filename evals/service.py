"""Starts a real service in its own process, on a folder and port of its own, and stops it again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

START_WITHIN_S = 60.0


@dataclass
class RunningService:
    """A service's process, where it listens, and a key for it."""

    process: subprocess.Popen[bytes]
    url: str
    key: str

    def resident_mb(self) -> float:
        """Resident memory of the process in MB (10^6 bytes)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1_024 / 1e6
        raise ProcessLookupError(self.process.pid)

    def kill(self) -> None:
        """SIGKILL: the process has no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """The environment of a service over `data_dir`; names of settings without their prefix."""
    ours = {f"CUPIDSSHIELD_{name.upper()}": value for name, value in settings.items()}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CUPIDSSHIELD_")}
    return {**clean, "CUPIDSSHIELD_DATA_DIR": str(data_dir), "CUPIDSSHIELD_LOG_LEVEL": "WARNING", **ours}


def make_key(env: dict[str, str], app: str = "bench", scopes: str = "moderate,read,notify") -> str:
    """A new API key, made by the command line."""
    command = [sys.executable, "-m", "cupidsshield", "keys", "create", "--app", app, "--scopes", scopes]
    made = subprocess.run([*command, "--output", "json"], env=env, check=True, capture_output=True)
    key: str = json.loads(made.stdout)["key"]
    return key


def start(env: dict[str, str], port: int, *command: str) -> subprocess.Popen[bytes]:
    """Start `cupidsshield serve` (or another command) on `port` and wait until it answers."""
    arguments = [*(command or ("serve",)), "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen([sys.executable, "-m", "cupidsshield", *arguments], env=env)
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"cupidsshield {' '.join(arguments)} ended with {process.returncode}")
        try:
            httpx2.get(f"http://127.0.0.1:{port}/health", timeout=1)
            return process
        except httpx2.TransportError:
            time.sleep(0.05)
    process.kill()
    raise TimeoutError(f"cupidsshield {' '.join(arguments)} did not answer within {START_WITHIN_S:.0f} s")


@contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[RunningService]:
    """A service over `data_dir` for the length of the block."""
    env = environment(data_dir, **settings)
    key = make_key(env)
    port = free_port()
    process = start(env, port)
    try:
        yield RunningService(process, f"http://127.0.0.1:{port}", key)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)
