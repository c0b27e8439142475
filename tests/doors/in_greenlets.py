"""`python in_greenlets.py LIBRARY NAME`: one of greenlet_programs.py; status 0 if all was right.

A process of its own, because these libraries change it whole: they put their threads, sockets and
clocks in the place of Python's. "late" is gevent where lomond was imported before.
"""

from __future__ import annotations

import faulthandler
import sys
import warnings

PATIENCE = 30.0  # seconds; whatever hangs then says where


def change_python(library: str) -> None:
    """Have the library do so."""
    if library == "late":
        import lomond.group
        import lomond.persist  # noqa: F401  for what they take from the modules meanwhile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what those libraries have to say of themselves
        if library == "eventlet":
            import eventlet.debug

            eventlet.monkey_patch()
            # A send that has to wait reads on, also where the loop waits to read.
            eventlet.debug.hub_prevent_multiple_readers(False)
        else:
            import gevent.monkey

            gevent.monkey.patch_all()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    change_python(sys.argv[1])
    from doors import greenlet_programs

    with greenlet_programs.nobody_leaves_with_a_lock():
        greenlet_programs.PROGRAMS[sys.argv[2]]()
    faulthandler.cancel_dump_traceback_later()
