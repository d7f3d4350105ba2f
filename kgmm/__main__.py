"""``python -m kgmm``, and the ``kgmm`` command: the command line."""

import atexit
import os
import signal
import sys
import threading
import time
from _thread import start_new_thread
from typing import Any


def _unraisable(what: Any) -> None:
    """Raise an interrupt once more that a finalizer has swallowed."""
    if issubclass(what.exc_type, KeyboardInterrupt):
        start_new_thread(_again, ())
    else:
        sys.__unraisablehook__(what)


def _again() -> None:
    time.sleep(0.02)  # until the finalizer is left
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def run() -> None:
    """Run the command line; Ctrl-C ends it with one line and exit code 130, even while kgmm is being imported."""
    sys.unraisablehook = _unraisable
    try:
        from kgmm.cli import main

        main()
    except KeyboardInterrupt:
        print("kgmm: interrupted", file=sys.stderr)
    except SystemExit as stop:
        if stop.code != 130:
            raise
    else:
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C does not wait for what follows
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(130)  # an interrupt that passed compiled code would make Python end by signal, other threads let it wait


if __name__ == "__main__":
    run()
