"""A command that fails on its first file leaves no store behind; one that has kept something leaves that."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgmm.cli import main


@pytest.mark.parametrize("command", ["read", "load"])
@pytest.mark.parametrize("file", ["bad.pdf", "bad.ttl", "missing.txt"])
def test_a_bad_file_leaves_no_empty_store(command: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 no more")
    (tmp_path / "bad.ttl").write_text("garbage")
    store = tmp_path / "kb"
    if (command, file) == ("read", "bad.ttl"):
        return  # not a document by its ending: told, and no error
    with pytest.raises(SystemExit):
        main([command, str(store), str(tmp_path / file)])
    assert not store.exists()


def test_what_was_kept_before_the_bad_file_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.ttl").write_text("garbage")
    (tmp_path / "ok.tsv").write_text("dog\tIsA\tanimal\n")
    (tmp_path / "d.txt").write_text("Dogs bark.")
    store = str(tmp_path / "kb")
    with pytest.raises(SystemExit):
        main(["load", store, str(tmp_path / "ok.tsv"), str(tmp_path / "bad.ttl")])
    main(["read", store, str(tmp_path / "d.txt")])
    with pytest.raises(SystemExit):
        main(["read", store, str(tmp_path / "missing.txt")])
    capsys.readouterr()
    main(["find", store, "dog"])
    assert "animal" in capsys.readouterr().out


def test_an_empty_store_that_was_there_stays(tmp_path: Path) -> None:
    import kgmm

    kgmm.open(tmp_path / "kb").close()
    with pytest.raises(SystemExit):
        main(["load", str(tmp_path / "kb"), str(tmp_path / "missing.ttl")])
    assert (tmp_path / "kb").is_dir()
