"""News stories and films: story graphs, the walk that summarizes them, skims of films.

A story graph is read (:func:`read`, :func:`from_folder`, :func:`from_video`, :func:`from_store`), summarized
(:func:`summarize`) and kept (:func:`to_json`, :func:`save`). The public names are listed in ``__init__.pyi``; each is
imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
