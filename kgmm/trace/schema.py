"""The published JSON schema of a trace (``kgmm-trace/1``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: the schema's file, JSON Schema draft 2020-12
FILE = Path(__file__).with_name("kgmm-trace-1.schema.json")


def schema() -> dict[str, Any]:
    """Return the JSON schema that every trace's document fits.

    Example:
        >>> schema()["properties"]["schema"]
        {'const': 'kgmm-trace/1'}
    """
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
