"""How is a process kept from holding memory that it has freed, and from looking for what to free where nothing is?"""

from __future__ import annotations

import ctypes
import gc

_RARELY = (10_000, 20, 20)
"""The collector's thresholds, where Python's own are 700, 10, 10."""

_M_ARENA_MAX = -8
"""mallopt(3), glibc's malloc.h"""
_HEAPS = 2


def keep_few_heaps() -> bool:
    """Let all threads allocate from two heaps; to be called before there are threads. Whether it could be said.

    glibc gives threads heaps of their own, up to eight for each core, and what is free in one is of no use to another:
    the threads that ask six clouds for an inventory made 57 MB of it. Threads of Python take turns, so that few heaps
    do not make them wait for each other. Other C libraries have no such setting, and no such heaps.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, _HEAPS) == 1


def set_apart_what_stays() -> None:
    """Keep the collector from walking through modules and models again and again: half a million objects that stay.

    And let it come less often: a request makes thousands of objects, of which next to none are in cycles. What a main
    module has imported without the collector is not walked through even once: 1 % of it is garbage.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(*_RARELY)
