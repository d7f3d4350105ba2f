"""Film summarizers over a film's numbers; each is one file here, found by its name.

A file ``name.py`` has ``USES``, the inputs it makes use of, and ``judge(request, progress) -> list[Judged]``, a film each.
"""
