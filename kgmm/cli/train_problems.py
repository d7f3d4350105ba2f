"""The training problems behind ``kgmm train``: what a model, its data and the options come to."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import progress_bar
from kgmm.errors import BadInput, KgmmError

ON_FACTS = ("kdmn", "hybrid", "graph-network")
ADAPTED = ("dan", "dann", "ddc", "jan", "jan-a")
OWN = (*ON_FACTS, "skim", "paths", *ADAPTED)  #: models that are not of coloured shapes
CHOOSING = 0.05  #: share of the questions that a graph network's best epoch is chosen on, beside the held-out tenth


def make_problem(model: str, data: str, options: dict[str, Any]) -> Any:
    """Return the training problem of a model and a data set; KgmmError if there is no such model or data."""
    if model == "skim":
        return _skim_problem(data, options)
    if model == "paths":
        return _path_problem(data, options)
    if model in ADAPTED:
        return _adapted_problem(model, Path(data), options)
    if model in ON_FACTS:
        made = {"kdmn": _kdmn_problem, "hybrid": _hybrid_problem, "graph-network": _graph_problem}
        return made[model](Path(data), options)
    from kgmm.nn.vqa import JOINS
    from kgmm.train.shapes import ShapesProblem

    if model != "modules" and model not in JOINS:
        known = ", ".join((*OWN, "modules", *JOINS))
        raise KgmmError(f"no model {model!r}; there are: {known}")
    if data not in ("easy-vqa", "clevr"):
        raise KgmmError(f"{model} trains on easy-vqa or clevr, not on {data!r}")
    return ShapesProblem(model, data, seed=options["seed"], small=options["small"])


def keeping(problem: Any, options: dict[str, Any]) -> Any:
    """Return a problem that goes on from a training before, or keeps what the next one needs."""
    from kgmm.train.continual.kept import Keeping

    if options["remembered"] is not None and options["keep"] != "replay":
        raise click.UsageError("--remembered goes with --keep replay")
    if options["ridge"] is not None and options["keep"] != "frozen":
        raise click.UsageError("--ridge goes with --keep frozen")
    if options["half"] and options["keep"] is not None:
        raise click.UsageError("--half rounds weights that --keep goes on from; leave one of them out")
    if options["fusion"] or options["choices"]:
        raise click.UsageError("--continue and --keep are for KDMN's pointer; leave --fusion and --choices out")
    words = problem.vocabulary.get("words")
    if words and options["continue"] is not None and _before(options)[1].get("words") != words:
        raise BadInput(options["continue"], "reads another vocabulary of words than kgmm train has now")
    named = {"size": options["remembered"], "ridge": options["ridge"]}
    given = {name: value for name, value in named.items() if value is not None}
    return Keeping(problem, options["keep"] or "none", options["continue"], seed=options["seed"], **given)


def _before(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return configuration and vocabulary of the training that is gone on from; empty ones if it is a first."""
    from kgmm.nn.folders import read_folder

    if options["continue"] is None:
        return {}, {}
    with read_folder(options["continue"], "a trained folder", "kgmm train MODEL DATA --out DIR") as (config, words):
        return dict(config), dict(words)


def _adapted_problem(method: str, data: Path, options: dict[str, Any]) -> Any:
    from kgmm.data.domains import check_pair, picture_of, read_domain
    from kgmm.train.adapted import AdaptedProblem

    if options["target"] is None:
        raise click.UsageError(f"{method} needs --target, the domain without labels")
    source, target = read_domain(data), read_domain(options["target"], labelled=False)
    check_pair(source, target)
    picture = picture_of(source, target) if options["network"] == "pictures" else None
    given = {} if options["weight"] is None else {"weight": options["weight"]}
    config, words = _before(options)
    if config:
        shape = None if picture is None else list(picture)
        here = {"features": source.features.shape[1], "picture": shape}
        for name, value in here.items():
            if config.get(name) != value:
                raise BadInput(options["continue"], f"learned from {name} {config.get(name)}, the data has {value}")
        given |= {"width": config["width"], "known": words["classes"]}
    return AdaptedProblem(
        method, source, target, epochs=options["epochs"], seed=options["seed"], picture=picture, **given
    )


def skim_method(name: str | None) -> str:
    """Return the method to train; a usage error names those there are."""
    from kgmm.nn.film_networks import NETWORKS

    if name not in NETWORKS:
        raise click.UsageError(f"skim needs --method, one of: {', '.join(NETWORKS)}")
    return name


def _skim_problem(data: str, options: dict[str, Any]) -> Any:
    from kgmm.train.lessons import QUERIED, lessons, planted
    from kgmm.train.skims import SkimProblem

    method = skim_method(options["method"])
    with progress_bar("films") as progress:
        place = planted(options["films"], progress) if data == "planted" else Path(data)
        how = {"splits": options["splits"], "split": options["split"], "progress": progress}
        if method in QUERIED or method == "policy":
            from kgmm.cli.bundled_and import bundled_and

            with bundled_and((), options["kb"]) as store:
                given = lessons(place, method, kb=store, **how)
        else:
            given = lessons(place, method, **how)
    return SkimProblem(method, given, Path(data).name, seed=options["seed"])


def _path_problem(data: str, options: dict[str, Any]) -> Any:
    from kgmm.opening import open_bundled
    from kgmm.train.paths import path_problem

    store = (
        open_bundled() if data == "bundled" else _store(Path(data), "paths trains on a knowledge store, or on: bundled")
    )
    with progress_bar("steps") as progress:
        return path_problem(store, Path(data).name, options["shaping"], progress, seed=options["seed"])


def _kdmn_problem(data: Path, options: dict[str, Any]) -> Any:
    from kgmm.train.kdmn import FvqaProblem

    seed, fusion = options["seed"], options["fusion"]
    settings: dict[str, Any] = {k: options[k] for k in ("seed", "knowledge", "blind", "vocabulary", "choices")}
    settings["network"] = {k: options[k] for k in ("episodes", "context")}
    config, words = _before(options)
    if config:
        for name, value in (
            ("hops", options["hops"]),
            ("knowledge", options["knowledge"]),
            ("blind", options["blind"]),
        ):
            if config.get(name, 1) != value:
                raise BadInput(options["continue"], f"was trained with {name} {config.get(name, 1)}, not {value}")
        if config["network"].get("choices"):
            raise BadInput(options["continue"], "learned to choose among answers, which --continue does not go on with")
        settings["network"] = {k: v for k, v in config["network"].items() if k != "answers"}
        settings["known"] = words.get("answers", [])
    if fusion and (settings["vocabulary"] or settings["choices"]):
        raise KgmmError(f"--fusion {fusion} guides the pointer alone; leave --vocabulary and --choices out")
    if settings["choices"] == 1:
        raise KgmmError("--choices counts the right answer and the wrong ones; give at least 2")
    if options["hops"] == 2:
        return _two_fact_problem(data, options, settings)
    if (data / "questions-train.json").is_file():
        problem = FvqaProblem(data, options["distractors"], **settings)
        return _guided(problem, data, fusion, options) if fusion else problem
    if fusion:
        raise KgmmError(f"--fusion {fusion} trains on FVQA, not on the store {data}")
    from kgmm.train.own_store import drawn_scenes, own_data, read_scenes

    with _store(data) as store:
        scenes = options["scenes"]
        found = own_data(store, read_scenes(scenes) if scenes else drawn_scenes(store, seed=seed), seed=seed)
    problem = FvqaProblem(data, data=found, **settings)
    problem.config["data"] = str(data)
    return problem


def _store(data: Path, wanted: str = "") -> Any:
    """Open the store to train on; BadInput, saying what is *wanted*, if there is none."""
    from kgmm.knowledge import KnowledgeStore

    try:
        return KnowledgeStore(data, create=False)
    except KgmmError as error:
        usual = "kdmn trains on a folder with questions-train.json and facts.jsonl, or on a knowledge store"
        raise BadInput(data, wanted or usual) from error


def _two_fact_problem(data: Path, options: dict[str, Any], settings: dict[str, Any]) -> Any:
    """Return KDMN's problem on questions that need two facts, made of FVQA's or of a store's."""
    from kgmm.train.kdmn import FvqaProblem
    from kgmm.train.two_facts import fvqa_facts, learn_and_tune, store_facts

    refused = [f"--{name}" for name in ("fusion", "scenes") if options[name]]
    refused += ["--context gru"] if options["context"] == "gru" else []
    if refused:
        raise KgmmError(f"--hops 2 makes its own questions and has its own memory; leave {' and '.join(refused)} out")
    settings["network"].pop("context", None)
    fvqa = (data / "questions-train.json").is_file()
    if fvqa:
        facts = fvqa_facts(data, options["distractors"])
    else:
        with _store(data) as store:
            facts = store_facts(store)
    learn, tune = learn_and_tune(facts, str(data))
    found = (learn.base, learn.questions, tune.questions)
    problem = FvqaProblem(data, data=found, held_base=tune.base, hops=2, **settings)
    problem.config["data"] = "two facts of " + ("fvqa" if fvqa else str(data))
    return problem


def _guided(problem: Any, data: Path, fusion: str, options: dict[str, Any]) -> Any:
    """Return KDMN's problem with one of the three knowledge-guided fusions."""
    from kgmm.train.kdmn import split_training
    from kgmm.train.memories import load_fvqa

    seed, known = options["seed"], problem.config
    split = split_training(problem, data, options["labels"])
    if fusion == "policy":
        from kgmm.train.guided.policy import PolicyProblem

        return PolicyProblem(problem, split, seed=seed, k=options["picked"])
    if fusion == "prior":
        from kgmm.train.guided.prior import PriorProblem, Support

        facts = load_fvqa(data, options["distractors"], known["dev"], known["split"])[0]
        return PriorProblem(problem, split, Support(facts), seed=seed)
    from kgmm.data.fvqa import fvqa_store
    from kgmm.train.guided.teacher import StudentProblem, teacher_answers

    kept = fvqa_store(data, options["distractors"], options["kb"])
    with progress_bar("questions") as progress, kept as (store, _):
        taught = teacher_answers(store, split.questions, progress=progress)
    return StudentProblem(problem, split, taught, seed=seed)


def _hybrid_problem(folder: Path, options: dict[str, Any]) -> Any:
    from kgmm.data.fvqa import check_folder, fvqa_store, load_questions
    from kgmm.train.hybrid import HybridProblem

    check_folder(folder)
    questions = load_questions(folder / "questions-train.json")
    kept = fvqa_store(folder, options["distractors"], options["kb"])
    with progress_bar("questions") as progress, kept as (store, stated):
        return HybridProblem(store, stated, questions, seed=options["seed"], progress=progress)


def _graph_problem(data: Path, options: dict[str, Any]) -> Any:
    from kgmm.cli.bundled_and import bundled_and

    with progress_bar("questions") as progress, bundled_and(options["facts"], options["kb"]) as store:
        how = {"graph": options["graph"], "seed": options["seed"], "progress": progress}
        if data.is_dir():
            from kgmm.data import okvqa
            from kgmm.train.graph_open import OpenProblem, open_graphs

            asked = okvqa.load_questions(data / "train.json", data / "detections_train.json")
            parts = okvqa.split(okvqa.split(asked)[0], 0.1 + CHOOSING)  # a hash parts them: the tenth lies below 0.1
            return OpenProblem(*((part, open_graphs(store, part, progress)) for part in parts), **how)
        from kgmm.data import commonsenseqa
        from kgmm.train.graph_network import ChoiceProblem, joint_graphs

        chosen = commonsenseqa.split(commonsenseqa.split(commonsenseqa.load_questions(data))[0], 0.1 + CHOOSING)
        made = ((part, joint_graphs(store, part, progress)) for part in chosen)
        return ChoiceProblem(*made, **how)
