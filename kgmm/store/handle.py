"""An open store: where its files are, who may write, which version is shown, and what was derived from it."""

import fcntl
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kgmm.errors import StoreBusy, StoreCorrupt, StoreError
from kgmm.files import FULL
from kgmm.store import kept, replay
from kgmm.store.index import state as index
from kgmm.store.index.state import Opened, State
from kgmm.store.index.terms import Terms
from kgmm.store.places import OURS, Places
from kgmm.store.table import delta as table
from kgmm.store.times import Period

if TYPE_CHECKING:
    from kgmm.trust import Belief

T = TypeVar("T")
DEFAULT = "~/.local/share/kgmm/default"  #: where the store of whoever names none is


class Handle:
    """A store's folder with one version of it shown, until :meth:`refresh` or an own change moves it on.

    Example:
        >>> import tempfile
        >>> store = Handle(tempfile.mkdtemp() + "/kb")
        >>> store.version, len(store.opened.snapshot)
        (0, 0)
    """

    def __init__(
        self, path: str | Path = DEFAULT, create: bool = True, version: int | None = None, *, timeout: float = 30.0
    ) -> None:
        """Open a store.

        Args:
            path: the store's folder.
            create: make an empty store if there is none.
            version: show this version instead of the newest; such a store is read-only.
            timeout: seconds to wait for another writer.

        Raises:
            StoreError: if there is no store, no such version, or the folder holds something else.
            StoreCorrupt: if the table is damaged.
        """
        self.path: Path = Path(path).expanduser().absolute()
        if any("\ud800" <= letter <= "\udfff" for letter in str(self.path)):
            raise StoreError(f"{str(self.path)!a}: the name is not UTF-8; rename the folder")
        self.places: Places = Places(self.path)
        self.timeout = timeout
        self.past: bool = version is not None
        self.moment: Period | None = None  #: the time of which only what held is shown
        self.belief: Belief | None = None  #: what the weights shown were found by, if they are probabilities
        self.opened: Opened  #: the version shown
        #: files this store's writer has made since it holds the lock, for a commit that is to come
        self.drafts: list[Path] = []
        self._scratch: Path | None = None
        self._ending = ExitStack()
        if not table.exists(self.places.table):
            if not create or self.past:
                raise StoreError(f"{self.path}: no knowledge store here; make one with: kgmm load {self.path} FILE")
            self._create()
        self.opened = self._newest() if version is None else self._version(version)

    def cache_dir(self, name: str) -> Path:
        """Return a folder for things derived from the store and keyed by term ids; made if need be.

        Where the store's folder cannot be written, a folder for this process only.
        """
        self._require_here()
        place = self.places.cache / name
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            place = self._scratch_dir() / name
            place.mkdir(parents=True, exist_ok=True)
        return place

    def _scratch_dir(self) -> Path:
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="kgmm-"))
            # also where nobody closes the store
            self.at_close(weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True))
        return self._scratch

    @property
    def version(self) -> int:
        """The version shown: 0 for an empty store, one more for every change and every merge of small files."""
        return self.opened.state.version

    @property
    def terms(self) -> Terms:
        """The dictionary between terms and their numbers."""
        return self.opened.terms

    def derived(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what was made of the version shown under a name, made when first asked for.

        It is forgotten when the store moves on to another version.

        Example:
            >>> import tempfile
            >>> store = Handle(tempfile.mkdtemp() + "/kb")
            >>> store.derived("words", list) is store.derived("words", list)
            True
        """
        return self.opened.made(name, make)

    def refresh(self) -> int:
        """Move on to the newest version and return its number."""
        if not self.past:
            self.opened = self._newest()
        return self.version

    def _newest(self) -> Opened:
        """Return the newest version, bringing the index up to it first if need be."""
        if (opened := self._mapped()) is not None:
            return opened
        self._require_here()
        try:
            with self._locked():
                return self._mapped() or replay.bring_up(self.places, self.places.index)
        except (StoreBusy, StoreCorrupt):
            raise
        except (StoreError, OSError):  # a folder that can be read only
            return replay.bring_up(self.places, self._scratch_dir() / "index")

    def _require_here(self) -> None:
        if not self.places.table.is_dir():
            raise StoreError(f"{self.path}: the store is not here any more; it was moved or deleted")

    def _mapped(self, version: int | None = None) -> Opened | None:
        """Return the index's version if it is the one wanted, by default the table's newest, else None."""
        for _ in range(3):  # a compaction may replace files between reading their names and mapping them
            state = index.read_state(self.places.index)
            if state is None or not replay.follows(self.places, state):
                return None
            if state.version != (table.latest(self.places.table, state.version) if version is None else version):
                return None
            shown: Opened | None = getattr(self, "opened", None)
            if shown is not None and shown.state == state:
                return shown
            try:
                return index.open_state(self.places.index, state)
            except (OSError, ValueError):
                continue
        return None

    def _version(self, version: int) -> Opened:
        newest = table.latest(self.places.table)
        if not 0 <= version <= newest:
            raise StoreError(f"{self.path}: no version {version}; there are 0 to {newest}")
        if version < (oldest := table.oldest(self.places.table)):
            raise StoreError(f"{self.path}: version {version} was vacuumed; there are {oldest} to {newest}")
        return self._mapped(version) or replay.rebuild(self.places, self._scratch_dir() / f"version-{version}", version)

    def require_newest(self) -> None:
        """Check that this store may be changed.

        Raises:
            StoreError: if it shows a version that was asked for by number.
        """
        if self.belief is not None:
            raise StoreError(f"{self.path}: what is believed is to look at; change the store itself")
        if self.moment is not None:
            raise StoreError(f"{self.path}: what held at {self.moment.text} is to look at; change the store itself")
        if self.past:
            raise StoreError(f"{self.path}: version {self.version} is the past; open the newest version to change it")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the writer's lock, with the newest version shown; what a writer that fails has left is deleted.

        Raises:
            StoreBusy: if another process writes for longer than the store's timeout.
            StoreError: if the folder cannot be written or the disk is full.
        """
        with self._locked():
            self.opened = self._mapped() or replay.bring_up(self.places, self.places.index)
            yield

    def publish(self, state: State) -> None:
        """Make a state of the index the newest one and show it; the caller holds the lock."""
        before = self.opened.state
        self.opened = index.publish_state(self.places.index, state, table.identity(self.places.table, state.version))
        kept.drop(self.places.cache, kept.name_of(self.opened.state))
        if (before.base, before.overlay) != (state.base, state.overlay):
            index.sweep(self.places.index, state)  # readers hold what they mapped; who opens now reads anew

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self.path, self.timeout, lambda: replay.undo(self.places, self.drafts)):
            self.drafts = []
            yield

    def _create(self) -> None:
        if self.path.exists() and (not self.path.is_dir() or {e.name for e in self.path.iterdir()} - OURS):
            raise StoreError(f"{self.path}: not a knowledge store and not empty; name another folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path}: the store cannot be made: {error.strerror}") from error
        with self._locked():
            if table.latest(self.places.table) < 0:
                if self.places.table.exists():  # a writer died while making it
                    shutil.rmtree(self.places.table)
                index.start(self.places.index)
                table.create(self.places.table)

    def at_close(self, action: Callable[[], object]) -> None:
        """Have something done when the store is closed."""
        self._ending.callback(action)

    def close(self) -> None:
        """Let go of the files; results that are still held stay usable."""
        self._ending.close()
        self._scratch = None


@contextmanager
def locked(folder: Path, timeout: float, undo: Callable[[], None]) -> Iterator[None]:
    """Hold the store's writer lock; the system releases it when the process ends, however it ends.

    Args:
        folder: the store's folder.
        timeout: seconds to wait for another writer.
        undo: called if the writer fails, to delete what it wrote in vain.

    Raises:
        StoreBusy: if another writer holds the lock for longer than *timeout* seconds.
        StoreError: if the folder cannot be written or the disk is full.
    """
    try:
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StoreError(f"{folder}: the store cannot be written: {error.strerror}") from error
    try:
        _wait(handle, folder, timeout)
        os.pwrite(handle, f"{os.getpid():<10}".encode(), 0)
        try:
            yield
        except BaseException:
            with suppress(OSError, StoreError):
                undo()
            raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        full = "the disk is full; what was stored before is still there: free space and try again"
        raise StoreError(f"{folder}: {full}") from error
    finally:
        os.close(handle)


def _wait(handle: int, folder: Path, timeout: float) -> None:
    end = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                who = f"another process (pid {os.pread(handle, 20, 0).decode('ascii', 'replace').strip()})"
                raise StoreBusy(f"{folder}: {who} is writing; waited {timeout:g} s, try again later") from None
            time.sleep(min(0.01, max(timeout, 0.0)))
