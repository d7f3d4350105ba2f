"""The explorer inside a real JupyterLab whose browser reaches nothing but loopback; slow, run with ``-m slow``.

JupyterLab is no dependency: name its command in ``KGMM_JUPYTER`` (an environment with jupyterlab and anywidget).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CELLS = [
    "import kgmm, tempfile\nfrom kgmm.notebook import explore\nkb = kgmm.open(tempfile.mkdtemp() + '/kb')\n"
    "kb.add([kgmm.Fact('knife', 'UsedFor', 'cutting'), kgmm.Fact('cutting', 'HasPrerequisite', 'sharpness')])\nexplore(kb, 'knife')"
]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a running JupyterLab with one notebook and a kernel of this Python."""
    jupyter = os.environ.get("KGMM_JUPYTER") or shutil.which("jupyter-lab")
    if jupyter is None:
        pytest.skip("no jupyter-lab (set KGMM_JUPYTER)")
    kernel = tmp_path / "share" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "kgmm", "language": "python"}))
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": c, "outputs": [], "execution_count": None}
        for i, c in enumerate(CELLS)
    ]
    spec = {"kernelspec": {"name": "python3", "display_name": "kgmm"}}
    (tmp_path / "n.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5})
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={tmp_path}",
    ]
    environment = {**os.environ, "JUPYTER_PATH": str(tmp_path / "share"), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    command = [jupyter, *options] if jupyter.endswith("lab") else [jupyter, "lab", *options]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            try:
                urlopen(f"{address}/api")
                break
            except URLError:
                time.sleep(0.5)
        yield address
        server.terminate()


def test_the_explorer_works_in_jupyterlab_without_network(chromium: Browser, lab: str) -> None:
    outside: list[str] = []
    page = chromium.new_page()
    allowed = (lab, lab.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(allowed) else outside.append(r.url))
    page.goto(f"{lab}/lab/tree/n.ipynb")
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.get_by_role("button", name="knife is used for cutting").click(timeout=60_000)
    page.get_by_role("button", name="expand").click()
    page.get_by_text("cutting requires sharpness").wait_for()
    drawn = page.evaluate("document.querySelector('.kgmm-explorer').kgmmDrawing.nodes().map(n => n.data('label'))")
    assert set(drawn) == {"knife", "cutting", "sharpness"}
    assert outside == []
    page.close()
