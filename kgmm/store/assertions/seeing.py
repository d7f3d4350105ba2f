"""A store as it was: what held at a time, what it held at a version."""

from __future__ import annotations

import copy
import threading
from contextlib import ExitStack
from typing import TypeVar

from kgmm.store.handle import Handle
from kgmm.store.index.snapshot import Selection
from kgmm.store.times import Moment, period

H = TypeVar("H", bound=Handle)
KEPT = 4  #: stores as they were that a version keeps
_ONE = threading.RLock()  #: threads that look at the same time make each once


def picked(store: Handle, selection: Selection, at: Moment) -> Selection:
    """Return those rows of a look-up that held at some moment of a time.

    Raises:
        BadInput: if *at* is no time.
    """
    moment = period(at)
    opened = store.opened
    if not opened.state.said:
        return selection
    from kgmm.store.index.sight import sight

    return sight(opened, moment.first, moment.last).picked(selection)


def as_of(store: H, at: Moment = None, version: int | None = None) -> H:
    """Return a store as it was: what held at a time, what it held at a version, or both; to look at only.

    Raises:
        BadInput: if *at* is no time.
        StoreError: if there is no such version.
    """
    if version is not None and version != store.version:
        store = _earlier(store, version)
    if at is None:
        return store
    moment = period(at)
    key = moment.first, moment.last
    with _ONE:
        known: dict[tuple[int, int], H] = store.derived("as of", dict)
        if key not in known:
            from kgmm.store.index.sight import visible

            if len(known) >= KEPT:
                del known[next(iter(known))]
            seen = copy.copy(store)
            seen.past, seen.moment = True, moment
            seen._ending = ExitStack()
            if store.opened.state.said:
                seen.opened = visible(store.opened, *key)
            known[key] = seen
        return known[key]


def _earlier(store: H, version: int) -> H:
    with _ONE:
        known: dict[int, H] = store.derived("versions", dict)
        if version not in known:
            opened = type(store)(store.path, create=False, version=version, timeout=store.timeout)
            if len(known) >= KEPT:
                del known[next(iter(known))]
            known[version] = opened
        return known[version]
