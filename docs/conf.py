"""How Sphinx builds the site: Markdown pages by MyST, the API from docstrings, the command line from its commands.

Everything is made from this checkout; nothing is fetched, and a warning is an error (``make docs``).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from docutils.nodes import Text
from sphinx.addnodes import pending_xref

sys.path.insert(0, str(Path(__file__).parents[1]))  # the checkout's kgmm, wherever another one is installed

import kgmm

project = "kgmm"
author = "the kgmm authors"
copyright = "the kgmm authors, Apache-2.0"
release = version = kgmm.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build"]
root_doc = "index"
nitpicky = False

html_theme = "furo"
html_title = "kgmm"
html_static_path: list[str] = []
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

myst_heading_anchors = 4  # as on a code host, so that page.md#heading works in both places
myst_enable_extensions = ["colon_fence", "deflist"]
myst_links_external_new_tab = False
suppress_warnings = [
    "myst.header",  # a page may begin below its first level where it is included
    "misc.highlighting_failure",  # shells' output between commands is no shell
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
autodoc_mock_imports = ["pyspark"]
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 100


def _plain_stars(app: Any, ctx: Any, lines: list[str]) -> None:
    """Keep the star of ``*.json`` in an option's help from opening emphasis."""
    lines[:] = [re.sub(r"(?<![*\w])\*(?=\.)", r"\\*", line) for line in lines]


def _object_is_a_type(app: Any, doctree: Any) -> None:
    """Keep the type ``object`` in a signature from being taken for an attribute of that name, of which there are many."""
    for reference in list(doctree.findall(pending_xref)):
        if reference["reftarget"] == "object" and reference["reftype"] == "class":
            reference.replace_self(Text("object"))


def setup(app: Any) -> None:
    """Register what the commands' help and the types of signatures need."""
    app.connect("sphinx-click-process-options", _plain_stars)
    app.connect("doctree-read", _object_is_a_type)
