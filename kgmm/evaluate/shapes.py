"""Networks on easy-vqa and CLEVR-like worlds by kind of question, also with no or wrong pictures (Goyal et al. 2017)."""

from pathlib import Path
from typing import Any

from kgmm.errors import BadInput
from kgmm.nn.folders import load_weights, read_folder
from kgmm.train.shapes import ShapesProblem, parts


def evaluate(data: str, folders: list[Path], small: bool) -> dict[str, Any]:
    """Return each folder's accuracy on the test split by kind of question, beside its runs without a true picture.

    ``NAME, empty`` sees no object, ``NAME, shuffled`` another question's picture; ``majority`` is the most frequent
    training answer of each kind of question. Of two folders of one model the second bears its path. Takes a fifth of
    the questions if *small*; BadInput if a folder holds no model trained on *data*, ``easy-vqa`` or ``clevr``.
    """
    split = parts(data, small)
    rows: dict[str, Any] = {}
    majority: dict[str, float] = {}
    for folder in folders:
        command = f"kgmm train san {data} --out DIR"
        with read_folder(folder, f"a model trained on {data}", command) as (config, vocabulary):
            name, trained_on, dim, known = config["name"], config["data"], int(config["dim"]), vocabulary["tokens"]
        if trained_on != data:
            raise BadInput(folder, f"a {name} trained on {trained_on}; it cannot be tested on {data}")
        problem = ShapesProblem(name, data, dim=dim, split=split)
        problem.adopt(known)
        load_weights(problem.model, folder)
        name = f"{name} ({folder})" if name in rows else name
        rows[name] = problem.accuracy(split[2])
        if config["name"] != "blind":
            rows[f"{name}, empty"] = problem.accuracy(split[2], "empty")
            rows[f"{name}, shuffled"] = problem.accuracy(split[2], "shuffled")
        majority = problem.majority(split[2])
    return {"data": data, "questions": len(split[2].asked), "majority": majority, "models": rows}
