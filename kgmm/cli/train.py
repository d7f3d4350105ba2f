"""``kgmm train MODEL DATA --out DIR``."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, WHOLE, Number, emit, json_option, progress_bar
from kgmm.errors import BadInput, KgmmError

#: model → (epochs, batch, rate, weight decay) that it trains with unless told otherwise
DEFAULTS: dict[str, tuple[int, int, float, float]] = {
    "kdmn": (8, 32, 1.2e-3, 5e-2),
    "hybrid": (3, 16, 1e-3, 1e-2),
    "graph-network": (3, 32, 1e-3, 1e-2),
    "modules": (8, 128, 5e-3, 1e-4),
    "hiecoatt": (8, 128, 2e-3, 1e-4),
}
FILMS = 24  #: films that are drawn for ``kgmm train skim planted`` unless told otherwise
TWO_FACTS = (4, 32, 3e-3, 1e-2)  #: the same of kdmn --hops 2
OPEN = (12, 128, 1e-3, 0.2)  #: the same of graph-network on open questions
CHOOSING = 0.05  #: share of the questions that a graph network's best epoch is chosen on, beside the held-out tenth
SHAPES_DEFAULT = (8, 128, 3e-3, 1e-4)
#: options that only some models know → which; "shapes" are all but those named before
_ON_FACTS = ("kdmn", "hybrid", "graph-network")
_ADAPTED = ("dan", "dann", "ddc", "jan", "jan-a")
_OWN = (*_ON_FACTS, "skim", "paths", *_ADAPTED)  #: models that are not of coloured shapes
_KDMN = "knowledge blind episodes context vocabulary choices fusion labels picked scenes hops"
ONLY = {"distractors": ("kdmn", "hybrid"), "kb": ("kdmn", "hybrid", "graph-network", "skim"), "small": ("shapes",)}
ONLY |= dict.fromkeys(_KDMN.split(), ("kdmn",))
ONLY |= dict.fromkeys(("facts", "graph"), ("graph-network",))
ONLY |= dict.fromkeys(("method", "films", "splits", "split"), ("skim",))
ONLY |= dict.fromkeys(("target", "network", "weight"), _ADAPTED)
ONLY |= dict.fromkeys(("continue", "keep", "remembered"), ("kdmn", *_ADAPTED))
ONLY |= {"shaping": ("paths",)}


@click.command()
@click.argument("model")
@click.argument("data")
@click.option("--out", type=PLACE, required=True, help="Folder for weights, config, figures, card.")
@click.option("--seed", default=0, type=WHOLE, help="Of weights, shuffles and dropout.")
@click.option("--epochs", type=COUNT, help="Most epochs; a default that suits the model if left out.")
@click.option("--batch", type=COUNT, help="Samples a step.")
@click.option("--rate", type=Number(0, 1, min_open=True), help="Highest learning rate.")
@click.option("--patience", type=COUNT, default=5, help="Epochs without a gain before stopping.")
@click.option("--device", default="auto", help="cpu, cuda, or auto.")
@click.option("--mixed/--no-mixed", default=True, help="On a GPU, multiply in bfloat16; on a CPU never.")
@click.option("--threads", type=COUNT, default=1, help="CPU threads.")
@click.option("--distractors", type=FILE, help="fvqa: further triples (TSV).")
@click.option("--knowledge", type=click.Choice(["full", "empty", "shuffled"]), default="full", help="fvqa: memories.")
@click.option("--blind", is_flag=True, help="fvqa: hide the seen names from the network (not from retrieval).")
@click.option("--episodes", type=WHOLE, default=2, help="kdmn: looks at the memory; 0: its mean.")
@click.option(
    "--hops",
    type=click.IntRange(1, 2),
    default=1,
    help="kdmn: 2 to learn questions, made of DATA's facts, that need two of them.",
)
@click.option("--context", type=click.Choice(["sum", "gru"]), default="sum", help="kdmn: how a look is summed up.")
@click.option(
    "--vocabulary", type=WHOLE, default=0, help="kdmn: so many frequent answers it may also guess without a fact."
)
@click.option(
    "--choices", type=WHOLE, default=0, help="kdmn: also learn to choose among so many answers, one of them right."
)
@click.option(
    "--fusion",
    type=click.Choice(["prior", "teacher", "policy"]),
    help="kdmn: guide it by the store's facts as a prior, by the explicit reasoner, by a retrieval policy.",
)
@click.option("--labels", type=Number(0, 1, min_open=True), default=1.0, help="--fusion: share of labels used.")
@click.option("--picked", type=COUNT, default=8, help="--fusion policy: facts that enter the memory.")
@click.option("--scenes", type=FOLDER, help="kdmn on a store: scene graphs (*.json) asked about; else drawn by chance.")
@click.option(
    "--kb",
    type=PLACE,
    help="hybrid, graph-network, skim, --fusion teacher: keep the knowledge base and its vectors here.",
)
@click.option("--facts", multiple=True, type=FILE, help="graph-network: triples beside the bundled knowledge.")
@click.option(
    "--graph",
    type=click.Choice(["full", "none", "empty", "shuffled", "relation-blind"]),
    default="full",
    help="graph-network: what it sees of the joint graphs; all but full are its twins.",
)
@click.option("--method", help="skim: seqdpp, shdpp, query-memory, dsse or policy.")
@click.option("--films", type=COUNT, default=FILMS, help="skim planted: so many are drawn.")
@click.option("--splits", type=FILE, help="skim: JSON with train_keys and test_keys; the former are learned from.")
@click.option("--split", type=WHOLE, default=0, help="skim: number of the split, from 0.")
@click.option("--target", type=FILE, help="dan, dann, ddc, jan, jan-a: the domain without labels (.mat, .npz).")
@click.option(
    "--network",
    type=click.Choice(["features", "pictures"]),
    default="features",
    help="The same: heads, or whole networks over pixels.",
)
@click.option("--weight", type=Number(0), help="The same: of the domains' distance; 0: the source only.")
@click.option(
    "--continue", type=PLACE, help="kdmn and the same: go on from this trained folder, whose weights it takes."
)
@click.option(
    "--keep",
    type=click.Choice(["ewc", "replay", "lwf", "frozen", "none"]),
    help="The same: what keeps the learned from being forgotten; a first training keeps what the next one needs.",
)
@click.option("--remembered", type=COUNT, help="--keep replay: samples kept [500].")
@click.option(
    "--shaping",
    type=click.Choice(["none", "text", "completion"]),
    default="text",
    help="paths: what shapes the rewards.",
)
@click.option("--half", is_flag=True, help="Write the weights in half precision, as the shipped ones are.")
@click.option("--small", is_flag=True, help="Coloured shapes: learn from a twentieth, to try it out.")
@json_option
def train(model: str, data: str, out: Path, as_json: bool, **options: Any) -> None:
    """Train MODEL on DATA and write it to a folder; given again after a kill, the run goes on.

    MODEL is kdmn (DATA: a folder with FVQA's questions-train.json and facts.jsonl, or any knowledge store, of whose
    facts questions are made), hybrid (DATA: FVQA), graph-network (DATA: a .jsonl of CommonsenseQA, or a folder with
    OK-VQA's train.json and detections_train.json), skim (DATA: a .h5 of films' features in the field's layout, a folder
    of films with films.json, or planted: films drawn for this), dan, dann, ddc, jan, jan-a (DATA: the source domain, .mat or
    .npz, with --target), paths (DATA: a knowledge store, or bundled), or modules, graph, conventional, san, hiecoatt, updown, blind,
    bilinear-{full,mcb,mlb,mfb,mutan} (DATA: easy-vqa or clevr).
    """
    from kgmm.train.fit import Recipe, fit, halve

    _known_options(model, {**options, "data": data})
    defaults = TWO_FACTS if options["hops"] == 2 else DEFAULTS.get(model, SHAPES_DEFAULT)
    if model == "graph-network" and Path(data).is_dir():
        defaults = OPEN
    if model == "skim":
        from kgmm.train.skims import DEFAULTS as OF_METHOD

        defaults = OF_METHOD[_skim_method(options["method"])]
    if model == "paths":
        from kgmm.train.paths import DEFAULTS as OF_PATHS

        defaults = OF_PATHS
    if model in _ADAPTED:
        from kgmm.train.adapted import DEFAULTS as ADAPTED

        defaults = ADAPTED
    if options["keep"] == "frozen" and options["continue"] is not None:
        defaults = (1, *defaults[1:])  # a closed form needs one pass
    usual = dict(zip(("epochs", "batch", "rate", "weight_decay"), defaults, strict=True))
    chosen: dict[str, Any] = {name: options.get(name) or value for name, value in usual.items()}
    recipe = Recipe(**chosen, **{name: options[name] for name in ("patience", "seed", "device", "threads", "mixed")})
    if options["continue"] is not None:
        from kgmm.train.continual.kept import check_family

        check_family(options["continue"], model, out)
    problem = make_problem(model, data, {**options, "epochs": recipe.epochs})
    if options["keep"] is not None or options["continue"] is not None:
        problem = _keeping(problem, options)
    problem.config["command"] = command_line(model, data, options)
    try:
        with progress_bar("batches") as progress:
            trained = fit(problem, out, recipe, progress)
    except KeyboardInterrupt:
        if not (out / "checkpoint.safetensors").exists():
            raise
        raise KeyboardInterrupt(f"the same command goes on from the last full epoch in {out}") from None
    if options["half"]:
        halve(out)
    figures = {k: round(v, 4) for k, v in trained.figures.items()}
    if as_json:
        emit({"folder": str(out), "figures": figures, "epoch": trained.epoch, "seconds": round(trained.seconds, 1)})
        return
    said = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
    took = f"(epoch {trained.epoch}, {trained.seconds:.0f} s)"
    click.echo(
        f"{problem.config['name'] if model == 'skim' else model} on {problem.config['data']}, development split: {said}  {took} → {out}"
    )


def _known_options(model: str, options: dict[str, Any]) -> None:
    """Refuse an option that would do nothing."""
    source = click.get_current_context().get_parameter_source
    given = [name for name in ONLY if source(name) is click.core.ParameterSource.COMMANDLINE]
    kind = model if model in _OWN else "shapes"
    for name in given:
        if kind not in ONLY[name]:
            only = " and ".join(ONLY[name]).replace("shapes", "models of coloured shapes")
            raise click.UsageError(f"--{name} is for {only}, not for {model}")
        if name == "films" and options["data"] != "planted":
            raise click.UsageError("--films goes with DATA planted")
        if name == "split" and options["splits"] is None:
            raise click.UsageError("--split goes with --splits")
        if name in ("labels", "picked") and options["fusion"] is None:
            raise click.UsageError(f"--{name} goes with --fusion")


def command_line(model: str, data: str, options: dict[str, Any]) -> str:
    """Return the command that makes a model again, for its card; files are named without their folders.

    >>> command_line("kdmn", "/data/fvqa", {"episodes": 0, "seed": 0, "blind": True, "half": False, "mixed": False})
    'kgmm train kdmn fvqa --blind --episodes 0 --no-mixed'
    """
    known = {p.name: p.default for p in train.params}
    words = [f"kgmm train {model} {Path(data).name}"]
    for name, value in sorted(options.items()):
        if value is None or value == known.get(name) or name in ("device", "threads", "kb"):
            continue
        if isinstance(value, tuple):
            words += [f"--{name} {Path(one).name}" for one in value]
            continue
        if value is False:
            words += [f"--no-{name}"] if known.get(name) is True else []
            continue
        shown = Path(value).name if isinstance(value, Path) else value
        words.append(f"--{name}" if value is True else f"--{name} {shown}")
    return " ".join(words)


def make_problem(model: str, data: str, options: dict[str, Any]) -> Any:
    """Return the training problem of a model and a data set; KgmmError if there is no such model or data."""
    if model == "skim":
        return _skim_problem(data, options)
    if model == "paths":
        return _path_problem(data, options)
    if model in _ADAPTED:
        return _adapted_problem(model, Path(data), options)
    if model in _ON_FACTS:
        made = {"kdmn": _kdmn_problem, "hybrid": _hybrid_problem, "graph-network": _graph_problem}
        return made[model](Path(data), options)
    from kgmm.nn.vqa import JOINS
    from kgmm.train.shapes import ShapesProblem

    if model != "modules" and model not in JOINS:
        known = ", ".join((*_OWN, "modules", *JOINS))
        raise KgmmError(f"no model {model!r}; there are: {known}")
    if data not in ("easy-vqa", "clevr"):
        raise KgmmError(f"{model} trains on easy-vqa or clevr, not on {data!r}")
    return ShapesProblem(model, data, seed=options["seed"], small=options["small"])


def _keeping(problem: Any, options: dict[str, Any]) -> Any:
    """Return a problem that goes on from a training before, or keeps what the next one needs."""
    from kgmm.train.continual.kept import Keeping

    if options["remembered"] is not None and options["keep"] != "replay":
        raise click.UsageError("--remembered goes with --keep replay")
    if options["half"] and options["keep"] is not None:
        raise click.UsageError("--half rounds weights that --keep goes on from; leave one of them out")
    if options["fusion"] or options["choices"]:
        raise click.UsageError("--continue and --keep are for KDMN's pointer; leave --fusion and --choices out")
    words = problem.vocabulary.get("words")
    if words and options["continue"] is not None and _before(options)[1].get("words") != words:
        raise BadInput(options["continue"], "reads another vocabulary of words than kgmm train has now")
    given = {} if options["remembered"] is None else {"size": options["remembered"]}
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


def _skim_method(name: str | None) -> str:
    """Return the method to train; a usage error names those there are."""
    from kgmm.nn.film_networks import NETWORKS

    if name not in NETWORKS:
        raise click.UsageError(f"skim needs --method, one of: {', '.join(NETWORKS)}")
    return name


def _skim_problem(data: str, options: dict[str, Any]) -> Any:
    from kgmm.train.lessons import QUERIED, lessons, planted
    from kgmm.train.skims import SkimProblem

    method = _skim_method(options["method"])
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
