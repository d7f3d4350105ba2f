"""The site builds without a warning and without network, and its reference has every public name and command."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import kgmm
from kgmm.cli import cli
from tests.docs.pages import ROOT

sphinx_inventory = pytest.importorskip("sphinx.util.inventory", reason="the site's generator is in the docs extra")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from this checkout; a warning is an error."""
    place = tmp_path_factory.mktemp("site")
    options = [
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "--builder",
        "html",
        "--doctree-dir",
        str(place / "trees"),
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(place / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return place / "html"


@pytest.fixture(scope="module")
def documented(site: Path) -> set[str]:
    """The full names of the Python objects that the reference has."""
    with (site / "objects.inv").open("rb") as file:
        inventory = sphinx_inventory.InventoryFile.load(file, "", lambda base, name: name)
    kinds = getattr(inventory, "data", inventory)
    return {name for kind, names in kinds.items() if kind.startswith("py:") for name in names}


def public_rooms() -> list[str]:
    """Return the rooms of the package that state their public names."""
    rooms = (f"kgmm.{module.name}" for module in pkgutil.iter_modules(kgmm.__path__) if module.ispkg)
    return [room for room in rooms if getattr(importlib.import_module(room), "__all__", ())]


def test_the_reference_has_every_public_name(documented: set[str]) -> None:
    missing = [f"kgmm.{name}" for name in kgmm.__all__ if f"kgmm.{name}" not in documented and not is_plain(kgmm, name)]
    for room in public_rooms():
        module = importlib.import_module(room)
        for name in module.__all__:
            stated_above = name in kgmm.__all__ and getattr(kgmm, name) is getattr(module, name)
            if not stated_above and f"{room}.{name}" not in documented and not is_plain(module, name):
                missing.append(f"{room}.{name}")
    assert not missing, f"not in docs/reference/api.md: {', '.join(missing)}"


def is_plain(module: object, name: str) -> bool:
    """Whether a public name is a value without a docstring of its own, such as a number or a union of types."""
    value = getattr(module, name)
    return not isinstance(value, type) and not callable(value) and not hasattr(value, "__path__")


def test_the_reference_has_every_command(site: Path) -> None:
    page = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    context = click.Context(cli)
    missing = []
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        inner = list(command.commands) if isinstance(command, click.Group) else [""]
        missing += [f"{name} {i}" for i in inner if f'id="kgmm-{name}{"-" if i else ""}{i}"' not in page]
    assert not missing, f"not in the command line's reference: {', '.join(missing)}"


def test_pages_fetch_nothing(site: Path) -> None:
    fetched = [
        f"{page.relative_to(site)}: {tag}"
        for page in site.rglob("*.html")
        for tag in re.findall(
            r'<(?:script|img|iframe)[^>]*src="(?:https?:)?//[^>]*>|<link[^>]*stylesheet[^>]*href="(?:https?:)?//[^>]*>',
            page.read_text(encoding="utf-8"),
        )
    ]
    assert not fetched, "\n".join(fetched)
