# SPDX-License-Identifier: Apache-2.0
"""Running a program and seeing what it takes: seconds, processor seconds, memory."""

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Took:
    """What one run of a program took, with all that it started."""

    seconds: float
    cpu: float
    status: int
    out: str
    err: str
    peak: int = 0  # bytes, where it was sampled


def family(pid: int) -> list[int]:
    """The process and all that it started."""
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        try:
            children = Path(f"/proc/{found[-1]}/task/{found[-1]}/children").read_text()
        except OSError:  # it has ended
            continue
        queue += [int(child) for child in children.split()]
    return found


def proportional(pid: int) -> int:
    """What a process keeps in memory, shared pages in proportion."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in told.splitlines() if line.startswith("Pss:"))


def sample(pid: int, over: threading.Event, peak: list[int]) -> None:
    """The most that the process and all that it started held together, looked at every 20 ms."""
    while not over.is_set():
        peak[0] = max(peak[0], sum(proportional(one) for one in family(pid)))
        over.wait(0.02)


def run(words: Sequence[str | Path], folder: Path | None = None, memory: bool = False,
        more: Mapping[str, str] | None = None) -> Took:
    """Runs a program to its end. Sampling its memory costs time: such a run says nothing about seconds."""
    environment: Mapping[str, str] = {**os.environ, **(more or {})}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        child = subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        over, peak = threading.Event(), [0]
        sampler = threading.Thread(target=sample, args=(child.pid, over, peak))
        if memory:
            sampler.start()
        status = child.wait()
        seconds = time.monotonic() - began
        over.set()
        if memory:
            sampler.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        out.seek(0)
        err.seek(0)
        return Took(seconds, cpu, status, out.read(), err.read(), peak[0])


def machine() -> str:
    """Processor, number of them, memory, kernel: what figures depend on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    load = "/".join(f"{n:.1f}" for n in os.getloadavg())
    return f"{os.cpu_count()} × {model}, {gigabytes:.0f} GiB, Linux {os.uname().release}, load {load}"
