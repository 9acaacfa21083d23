# SPDX-License-Identifier: Apache-2.0
"""How long it takes until work begins: from the start of `entente run` to the first byte that a decoder reads.

The kernel tells who reads a file (fanotify), which only root may ask. A run begins in a store that holds figures already;
the interpreter of the rules starts later, on its own: what it takes until it is ready comes from bench_rules, and is added.
"""

import ctypes
import os
import select
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from measure import run

FAN_ACCESS, FAN_MARK_ADD, FAN_CLOEXEC, AT_FDCWD = 0x1, 0x1, 0x1, -100
EVENT = struct.Struct("=IBBHQii")
ROUNDS = 15


def watch(path: Path) -> int:
    """A descriptor that tells who reads the file; -1: it may not be asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd: int = libc.fanotify_init(FAN_CLOEXEC, os.O_RDONLY)
    if fd >= 0 and libc.fanotify_mark(fd, FAN_MARK_ADD, ctypes.c_uint64(FAN_ACCESS), AT_FDCWD, str(path).encode()):
        os.close(fd)
        return -1
    return fd


def first_read(fd: int, core: int) -> float:
    """When another than the core has read, which only looks at a file's ends: the clock at that event."""
    while True:
        ready, _, _ = select.select([fd], [], [], 10)
        if not ready:
            raise RuntimeError("no decoder has read the file")
        data, now = os.read(fd, 4096), time.monotonic()
        readers = set()
        for at in range(0, len(data), EVENT.size):
            _, _, _, _, _, opened, pid = EVENT.unpack_from(data, at)
            os.close(opened)
            readers.add(pid)
        if readers - {core, os.getpid()}:
            return now


def once(words: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds until a decoder has read something of a file that is new."""
    file = folder / "orders" / f"{time.monotonic_ns()}.csv"
    file.write_text("id,at,total\n" + "".join(f"{file.stem}{i},2024-01-05,1.00\n" for i in range(100)))
    fd = watch(file)
    if fd < 0:
        raise PermissionError("only root may ask who reads a file")
    try:
        began = time.monotonic()
        with subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as child:
            read = first_read(fd, child.pid)
            if child.wait():
                raise RuntimeError("entente run failed")
        return read - began
    finally:
        os.close(fd)


def measure(build: Path) -> float:
    """Milliseconds, the median."""
    with tempfile.TemporaryDirectory(prefix="entente-start-") as name:
        folder = Path(name)
        (folder / "orders").mkdir()
        (folder / "entente.yaml").write_text(
            "version: 1\ncurrency: EUR\nas_of: latest\npartners:\n  shop: {}\nsources:\n  orders: {partner: shop, "
            "from: {glob: './orders/*.csv'}, decode: {csv: {fact: order, columns: {key: id, at: at, total: total}, "
            "constants: {currency: EUR}}}}\n"
        )
        environment = {**os.environ, "ENTENTE_PLUGINS": str(build / "plugins")}
        words = [str(build / "bin" / "entente"), "run", "--no-rules", "--quiet"]
        return 1e3 * statistics.median([once(words, folder, environment) for _ in range(ROUNDS)][1:])


if __name__ == "__main__":
    where = Path(os.environ.get("ENTENTE_BUILD_DIR", Path(__file__).parents[2] / "build"))
    print(f"first byte read after {measure(where):.1f} ms")
    print(run([where / "tests" / "bench_rules", "10", "15"]).out)
