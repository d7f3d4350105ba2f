"""kgmm: a knowledge-graph-centric reasoning engine for pictures, text and news video.

The public names are listed once, in ``__init__.pyi``; each is imported when it is first used.

>>> import kgmm
>>> kgmm.Fact("dog", "CapableOf", "bark").object
'/c/en/bark'
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
