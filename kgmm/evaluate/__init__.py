"""Measuring: one file per protocol; the command ``kgmm eval`` shows what these compute."""
