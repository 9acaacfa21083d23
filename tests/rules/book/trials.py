# SPDX-License-Identifier: Apache-2.0
"""Rules that do one thing each, well or badly."""
import array
import os
import sys


def reads(snapshot, partner):
    number = {row[0]: n for n, row in enumerate(snapshot.metrics())}
    orders, net = number["orders"], number["revenue.net"]
    rows = array.array("I", range(len(snapshot.partners()))).tobytes()
    early = snapshot.at(104)
    return {
        "partners": snapshot.partners(), "as_of": snapshot.as_of, "currency": snapshot.currency,
        "generation": snapshot.generation, "json": snapshot.partner_json(partner), "meta": snapshot.meta_json(),
        "orders": snapshot.window(partner, orders, 100, 110), "net": snapshot.window(partner, net, 100, 110),
        "web": snapshot.window(partner, orders, start=100, stop=110, view=1, value="web"),
        "few": snapshot.window(partner, orders, 91, 111, coverage=0.5)[0], "many": snapshot.window(partner, orders, 91, 111)[0],
        "values": snapshot.values(partner, orders, 1, 100, 110), "origins": snapshot.origins(partner, orders),
        "covers": snapshot.covers(partner, orders), "rate": [snapshot.rate("EUR", 1), snapshot.rate("USD", 105)],
        "median": snapshot.window(partner, number["days_to_paid"], 100, 110)[:3],
        "quantile": snapshot.quantile(partner, number["days_to_paid"], 100, 110, 0.9),
        "cohort": snapshot.cohort(rows, orders, 100, 110), "huge": snapshot.window(partner, number["tax"], 100, 110)[1],
        "earlier": [early.as_of, early.window(partner, orders, 100, 110, coverage=0.1)[:2], early.cohort(rows, orders, 100, 110)[0][1],
                    len(early.series(partner, orders, 100, 110)), early.at(106).as_of, early.day_of(partner), early.days_differ()],
        "later": snapshot.window(partner, orders, 100, 110)[1],
        "kinds": [row[1] for row in snapshot.metrics()][:1], "definition": len(snapshot.metrics()[0][6]),
    }


def refuses(snapshot, partner):
    out = []
    for wrong in (lambda: snapshot.window(9, 0, 1, 2), lambda: snapshot.window(0, 999, 1, 2), lambda: snapshot.window(0, 0, 1),
                  lambda: snapshot.window(0, 0, 1, 10**12), lambda: snapshot.window(0, 0, 1, 2, view=99),
                  lambda: snapshot.window(0, 0, 1, 2, origin=-2), lambda: snapshot.window(0, 0, 1, 2, nonsense=1),
                  lambda: snapshot.window(0, 0, 1, 2, stop=3), lambda: snapshot.window("0", 0, 1, 2),
                  lambda: snapshot.window(0, 0, 1, 2, -1, 0, 7), lambda: snapshot.window(0, 0, 1, 2, coverage=2),
                  lambda: snapshot.quantile(0, 0, 1, 2, 0.5), lambda: snapshot.series(0, 23, 1, 2), lambda: type(snapshot)(),
                  lambda: snapshot.at(110), lambda: snapshot.day_of(2)):
        try:
            wrong()
            out.append("nothing")
        except Exception as error:
            out.append(type(error).__name__)
    return out


def series(snapshot, partner):
    number = {row[0]: n for n, row in enumerate(snapshot.metrics())}
    orders, net = number["orders"], number["revenue.net"]
    whole, part = snapshot.series(partner, orders, 100, 110), snapshot.series(partner, orders, 103, 105)
    made = snapshot.series(partner, net, 98, 103)
    view = memoryview(whole)
    try:
        view[0] = 1
        writable = True
    except TypeError:
        writable = False
    return {"whole": list(whole), "part": list(part), "made": list(made), "view": view.tolist(), "format": view.format,
            "writable": writable, "day0": part.day0, "scale": [whole.scale, made.scale], "unit": [whole.unit, made.unit],
            "last": whole[-1], "length": len(made), "empty": len(snapshot.series(partner, orders, 105, 105))}


def same_address(snapshot, partner):
    try:
        import numpy
    except ImportError:
        return "no numpy"
    number = {row[0]: n for n, row in enumerate(snapshot.metrics())}
    one = numpy.asarray(snapshot.series(partner, number["orders"], 100, 110))
    two = numpy.asarray(snapshot.series(partner, number["orders"], 102, 110))
    assert one.dtype == numpy.int64 and not one.flags.writeable and not one.flags.owndata
    series = snapshot.series(partner, number["orders"], 100, 110)
    here = numpy.asarray(series).ctypes.data
    assert series.__array__().ctypes.data == here and series.__array__(copy=True).ctypes.data != here
    assert series.__array__(dtype=float).sum() == one.sum()
    del snapshot, series
    return [two.ctypes.data - one.ctypes.data, int(one.sum())]


def arrow(snapshot, partner):
    """Through the C data interface by hand: what pyarrow, polars and DuckDB do."""
    import ctypes
    number = {row[0]: n for n, row in enumerate(snapshot.metrics())}
    series = snapshot.series(partner, number["orders"], 102, 110)
    at = ctypes.pythonapi.PyCapsule_GetPointer
    at.restype, at.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]

    class Schema(ctypes.Structure):
        _fields_ = [("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p),
                    ("flags", ctypes.c_int64), ("n_children", ctypes.c_int64), ("children", ctypes.c_void_p),
                    ("dictionary", ctypes.c_void_p), ("release", ctypes.c_void_p), ("private", ctypes.c_void_p)]

    class Array(ctypes.Structure):
        _fields_ = [("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
                    ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
                    ("children", ctypes.c_void_p), ("dictionary", ctypes.c_void_p), ("release", ctypes.c_void_p),
                    ("private", ctypes.c_void_p)]

    class Stream(ctypes.Structure):
        _fields_ = [("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
                    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
                    ("last_error", ctypes.c_void_p), ("release", ctypes.c_void_p), ("private", ctypes.c_void_p)]

    address = ctypes.addressof(ctypes.c_char.from_buffer(bytearray(1)))      # ctypes is at work
    assert address
    before = sys.getrefcount(series)
    schema_capsule, array_capsule = series.__arrow_c_array__(requested_schema=None)
    schema = Schema.from_address(at(schema_capsule, b"arrow_schema"))
    taken = Array.from_address(at(array_capsule, b"arrow_array"))
    values = (ctypes.c_int64 * taken.length).from_address(taken.buffers[1])
    out = {"format": schema.format.decode(), "array": list(values), "validity": taken.buffers[0]}
    # A consumer moves the struct out of the capsule and releases it on its own, when the capsule is long gone.
    moved = Array.from_buffer_copy(taken)
    taken.release = None
    del schema_capsule, array_capsule
    out["held"] = sys.getrefcount(series) - before
    ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(moved.release)(ctypes.addressof(moved))
    out["released"] = sys.getrefcount(series) - before
    out["marked"] = moved.release is None
    series.__arrow_c_array__()      # nobody takes it: the capsules release it
    capsule = series.__arrow_c_stream__()
    stream = Stream.from_address(at(capsule, b"arrow_array_stream"))
    one, end, kind = Array(), Array(), Schema()
    assert stream.get_schema(ctypes.addressof(stream), ctypes.addressof(kind)) == 0
    assert stream.get_next(ctypes.addressof(stream), ctypes.addressof(one)) == 0
    assert stream.get_next(ctypes.addressof(stream), ctypes.addressof(end)) == 0
    out["stream"] = [kind.format.decode(), one.length, end.release is None]
    del capsule, stream             # the array outlives its stream
    out["value"] = (ctypes.c_int64 * 1).from_address(one.buffers[1])[0]
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(one.release)(ctypes.addressof(one))      # without the interpreter's lock
    out["all released"] = sys.getrefcount(series) - before
    return out


def prints(snapshot, partner):
    print("hello", partner)
    print("é\udc80", file=sys.stderr)
    sys.__stdout__.flush()
    return sys.stdout.isatty()


def prints_much(snapshot, partner):
    for _ in range(10000):
        print("€" * 100)


def fails(snapshot, partner):
    return 1 / partner if partner == 0 else "fine"


def leaves(snapshot, partner):
    sys.exit(3)


def dies(snapshot, partner):
    os._exit(7)


def crashes(snapshot, partner):
    import ctypes
    return ctypes.string_at(0)


def loops(snapshot, partner):
    while True:
        pass


def adds(snapshot, partner):
    return sum(range(10**11))


def hogs(snapshot, partner):
    keep = []
    while True:
        keep.append(bytearray(1 << 24))


def after_the_hog(snapshot, partner):
    return len(bytearray(1 << 24))


def imports_late(snapshot, partner):
    import asyncio  # noqa: F401
    import decimal
    import hashlib
    import threading
    import zoneinfo
    done = []
    thread = threading.Thread(target=lambda: done.append(str(zoneinfo.ZoneInfo("Europe/Berlin"))))
    thread.start()
    thread.join()
    return [hashlib.sha256(b"").hexdigest()[:8], str(decimal.Decimal("1.10")), done]


def escapes(snapshot, partner):
    import ctypes
    import resource
    import socket
    import subprocess
    libc = ctypes.CDLL(None, use_errno=True)

    def ptrace():
        if libc.ptrace(0, 0, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def execs():
        os.execv("/bin/true", ["true"])

    out = {}
    for name, attempt in {
        "socket": lambda: socket.socket(), "pair": lambda: socket.socketpair(), "fork": os.fork,
        "exec": execs, "subprocess": lambda: subprocess.run(["/bin/true"]),
        "write": lambda: open("/tmp/entente-rules-was-here", "w"), "append": lambda: open(__file__, "a"),
        "secret": lambda: open("/etc/passwd"), "list": lambda: os.listdir("/etc"), "unlink": lambda: os.unlink(__file__),
        "mkdir": lambda: os.mkdir("/tmp/entente-rules-was-here"), "kill": lambda: os.kill(os.getppid(), 0), "ptrace": ptrace,
        "limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)), "memfd": lambda: os.memfd_create("x"),
        "chmod": lambda: os.chmod(__file__, 0o777), "read": lambda: open(__file__).close(),
    }.items():
        try:
            attempt()
            out[name] = "done"
        except (OSError, ValueError) as error:
            out[name] = type(error).__name__
    return out


def environment(snapshot, partner):
    try:
        with open("/proc/self/environ", "rb") as file:
            raw = file.read().strip(b"\0").decode()
    except PermissionError:
        raw = ""
    return [sorted(os.environ), raw]


def uses_the_venv(snapshot, partner):
    import entente_test_of_venv
    return entente_test_of_venv.VALUE


def asks(snapshot, partner):
    try:
        facts = snapshot.facts(partner, 1, 100, 110)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return {"rows": len(facts), "ever": facts.ever, "texts": facts.texts()[:2]}
