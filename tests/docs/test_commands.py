"""Every command that the documentation shows can be typed: the command is there and so are its options and choices."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from kgmm.cli import cli
from tests.docs.pages import PAGES, commands, name_of


def wrong_with(line: str) -> str:
    """Return what is wrong with a command as it is typed, or an empty string."""
    words = shlex.split(re.split(r" [|>&] | +#", re.sub(r"\[--[^\]]*\]", "", line))[0])[1:]
    command: click.Command = cli
    context = click.Context(cli, info_name="kgmm")
    while isinstance(command, click.Group):
        if not words:
            return ""
        if words[0] in ("-h", "--help", "--version"):
            return ""
        found = command.get_command(context, words[0])
        if found is None:
            return f"no command {words[0]!r}"
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    try:
        given, left, _ = command.make_parser(context).parse_args(list(words))
        if left:
            return f"too many arguments: {' '.join(left)}"
        for parameter in command.get_params(context):
            value = given.get(parameter.name or "")
            absent = value == () or not isinstance(value, str | int | list | tuple)
            if parameter.required and absent:
                return f"{parameter.name} is missing"
            for one in value if isinstance(value, list | tuple) else (value,):
                if isinstance(parameter.type, click.Choice | click.types.IntParamType) and isinstance(one, str):
                    parameter.type.convert(one, parameter, context)
    except click.UsageError as error:
        return error.format_message()
    return ""


@pytest.mark.parametrize("page", [p for p in PAGES if any(commands(p))], ids=name_of)
def test_commands_can_be_typed(page: Path) -> None:
    wrong = [f"line {n}: {line}: {text}" for n, line in commands(page) if (text := wrong_with(line))]
    assert not wrong, "\n".join(wrong)


def test_a_wrong_command_is_seen() -> None:
    assert "no command" in wrong_with("kgmm lode kb facts.tsv")
    assert "--langs" in wrong_with("kgmm load kb facts.tsv --langs en")
    assert "missing" in wrong_with("kgmm load kb")
    assert wrong_with("kgmm load kb facts.tsv --lang en > out.txt") == ""
