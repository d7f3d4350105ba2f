"""Two processes that compile at once leave machine code that a third one can use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import pathlib, sys, time
import numpy as np
from numba.core.caching import IndexDataCacheFile as Kept
from kgmm.compiled import njit

@njit()
def total(a):
    return a.sum()

kind, met = sys.argv[1], pathlib.Path(sys.argv[2])
load, save = Kept._load_index, Kept._save_data

def load_slowly(self):
    found = load(self)
    time.sleep(1)
    return found

def save_slowly(self, *data):
    time.sleep(1 if kind == "int64" else 0)
    save(self, *data)

Kept._load_index, Kept._save_data = load_slowly, save_slowly
(met / kind).touch()
while len(list(met.iterdir())) < 2:
    time.sleep(0.01)
value = total(np.full(3, 2, kind))
assert value == 6, value
"""


def test_code_compiled_by_two_processes_at_once_is_not_mixed_up(tmp_path: Path) -> None:
    script, met = tmp_path / "total.py", tmp_path / "met"
    script.write_text(SCRIPT)
    met.mkdir()
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for _ in ("compiled", "kept"):
        commands = ([sys.executable, script, kind, met] for kind in ("int64", "float64"))
        running = [subprocess.Popen(command, env=environment) for command in commands]
        assert [process.wait() for process in running] == [0, 0]


def test_compiled_code_runs_without_scipys_algebra_and_matrix_products_find_its_blas():
    code = (
        "import sys\nimport numba\nimport numpy as np\nfrom kgmm.compiled import compiled\n"
        "@numba.njit\ndef total(x):\n    return x.sum()\n"
        "@numba.njit\ndef product(x):\n    return np.dot(x, x)\n"
        "assert total(np.ones(3)) == 3.0\nassert 'scipy.linalg' not in sys.modules\n"
        "assert product(np.full((2, 2), 2.0)).tolist() == [[8.0, 8.0], [8.0, 8.0]]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
