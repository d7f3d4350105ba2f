"""``--bundled`` in the place of KB."""

import json
from pathlib import Path

import pytest

from kgmm import KnowledgeStore
from kgmm.cli import main


@pytest.mark.parametrize(
    "command",
    [
        ["find", "--bundled", "spoon", "UsedFor", "--json"],
        ["find", "--json", "--bundled", "spoon", "UsedFor"],
        ["sparql", "--bundled", "SELECT ?o { c:spoon r:UsedFor ?o }", "--json"],
    ],
)
def test_the_bundled_knowledge_is_read_without_naming_a_store(
    command: list[str],
    bundled_kb: KnowledgeStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = tmp_path / ".local/share/kgmm/bundled"
    place.parent.mkdir(parents=True)
    place.symlink_to(bundled_kb.path)
    monkeypatch.setenv("HOME", str(tmp_path))
    main(command)
    assert "stirring" in json.dumps(json.loads(capsys.readouterr().out))


def test_commands_that_write_do_not_take_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["add", "--bundled", "spoon", "UsedFor", "music"])
    assert ended.value.code == 2 and "--bundled" in capsys.readouterr().err
