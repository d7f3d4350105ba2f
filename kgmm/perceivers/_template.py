"""The program that renders a model's chat template: template and messages as JSON on its input, text on its output.

Run as a file by :mod:`kgmm.perceivers.vlm`, not as part of kgmm: a template is a program from a stranger, in Jinja's sandbox
without time or memory of its own; here it has both.
"""

import json
import resource
import sys
from datetime import datetime
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY, LENGTH = 1 << 29, 1 << 20  #: bytes it may have, characters of a text


def rendered(template: str, variables: dict[str, Any]) -> str:
    """Return a template's text, with what transformers offers to templates."""

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = lambda x, **how: json.dumps(x, **{"ensure_ascii": False, **how})
    environment.globals |= {"raise_exception": refuse, "strftime_now": lambda form: datetime.now().strftime(form)}
    text = ""
    for part in environment.from_string(template).generate(**variables):
        text += part
        if len(text) > LENGTH:
            raise TemplateError(f"its text is longer than {LENGTH:,} characters")
    return text


def main(seconds: int) -> int:
    """Render within seconds of processor time; return the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    given = json.load(sys.stdin)
    try:
        sys.stdout.write(rendered(given["template"], given["variables"]))
        sys.stdout.flush()
    except Exception as error:
        sys.stderr.write(" ".join(str(error).split())[:200] or type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
