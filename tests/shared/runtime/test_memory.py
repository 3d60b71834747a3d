"""Threads come and go; what they freed is taken again and not kept by each of them."""

import subprocess
import sys

PROGRAM = """
import re, sys, threading
from pathlib import Path
from shared.runtime.memory import keep_few_heaps

if sys.argv[1] == "few":
    assert keep_few_heaps()
everybody = threading.Barrier(12)

def allocate():
    held = [bytes(20_000) for _ in range(20)]
    everybody.wait()
    del held

threads = [threading.Thread(target=allocate) for _ in range(12)]
for each in threads:
    each.start()
for each in threads:
    each.join()
# A heap of a thread begins at a multiple of 64 MiB (glibc, HEAP_MAX_SIZE) and can be written to at its beginning only.
begins = re.findall(r"^([0-9a-f]+)-[0-9a-f]+ rw-p 00000000 00:00 0 *$", Path("/proc/self/maps").read_text(), re.M)
print(sum(int(each, 16) % 2**26 == 0 for each in begins))
"""


def heaps(which: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, which], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_twelve_threads_have_two_heaps():
    """One of the two is the process's own, which does not begin there."""
    assert heaps("few") <= 1 < heaps("many")


COLLECTOR = """
import gc, weakref
gc.disable()
from shared.runtime.memory import set_apart_what_stays

class Ring:
    def __init__(self):
        self.me = self

def left(ring):
    return weakref.ref(ring)

set_apart_what_stays()
assert gc.isenabled() and gc.get_freeze_count() > 1000
remembered = left(Ring())
for _ in range(20_000):
    Ring()
assert remembered() is None
"""


def test_what_was_imported_is_set_apart_and_what_comes_later_is_collected():
    subprocess.run([sys.executable, "-c", COLLECTOR], check=True, capture_output=True)
