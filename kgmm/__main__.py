"""``python -m kgmm``: the command line."""

from kgmm.cli import main

main()
