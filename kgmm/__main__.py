"""``python -m kgmm``, and the ``kgmm`` command: the command line."""

import atexit
import os
import signal
import sys


def run() -> None:
    """Run the command line; Ctrl-C ends it with one line and exit code 130, even while kgmm is being imported."""
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
