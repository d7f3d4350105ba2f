"""``python -m kgmm``, and the ``kgmm`` command: the command line."""

import signal
import sys
import threading
import time
from _thread import start_new_thread

TYPE_CHECKING = False  # as typing says it, whose import takes long enough for a Ctrl-C to fall into
if TYPE_CHECKING:
    from types import FrameType


def _interrupted(signum: int, frame: "FrameType | None") -> None:
    start_new_thread(_insist, (signum,))
    raise KeyboardInterrupt


def _insist(signum: int) -> None:
    """Press Ctrl-C again if nobody is ending: finalizers, callbacks and compiled code may swallow an exception."""
    main = threading.main_thread().ident or 0
    time.sleep(0.1)
    handled = sys._current_exceptions().get(main)
    error = handled[1] if isinstance(handled, tuple) else handled  # a tuple before Python 3.12
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    if error is None and signal.getsignal(signum) is _interrupted:
        signal.pthread_kill(main, signum)


def run() -> None:
    """Run the command line; Ctrl-C ends it with one line and exit code 130, even while kgmm is being imported."""
    try:
        signal.signal(signal.SIGINT, _interrupted)
        sys.unraisablehook = lambda what: (
            None if issubclass(what.exc_type, KeyboardInterrupt) else sys.__unraisablehook__(what)
        )
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
    import atexit
    import os

    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(130)  # an interrupt that passed compiled code would make Python end by signal, other threads let it wait


if __name__ == "__main__":
    run()
