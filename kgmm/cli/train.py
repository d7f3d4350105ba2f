"""``kgmm train MODEL DATA --out DIR``."""

from pathlib import Path
from typing import Any

import click

from kgmm.cli.output import COUNT, FILE, FOLDER, PLACE, WHOLE, Number, emit, json_option, progress_bar
from kgmm.cli.train_problems import ADAPTED, OWN, keeping, make_problem, skim_method

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
SHAPES_DEFAULT = (8, 128, 3e-3, 1e-4)
#: options that only some models know → which; "shapes" are all but those named before
_KDMN = "knowledge blind episodes context vocabulary choices fusion labels picked scenes hops"
ONLY = {"distractors": ("kdmn", "hybrid"), "kb": ("kdmn", "hybrid", "graph-network", "skim"), "small": ("shapes",)}
ONLY |= dict.fromkeys(_KDMN.split(), ("kdmn",))
ONLY |= dict.fromkeys(("facts", "graph"), ("graph-network",))
ONLY |= dict.fromkeys(("method", "films", "splits", "split"), ("skim",))
ONLY |= dict.fromkeys(("target", "network", "weight"), ADAPTED)
ONLY |= dict.fromkeys(("continue", "keep", "remembered"), ("kdmn", *ADAPTED))
ONLY |= {"ridge": ADAPTED}
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
@click.option("--ridge", type=Number(0, min_open=True), help="--keep frozen: λ [chosen on every fifth sample].")
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

        defaults = OF_METHOD[skim_method(options["method"])]
    if model == "paths":
        from kgmm.train.paths import DEFAULTS as OF_PATHS

        defaults = OF_PATHS
    if model in ADAPTED:
        from kgmm.train.adapted import DEFAULTS as OF_ADAPTED

        defaults = OF_ADAPTED
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
        problem = keeping(problem, options)
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
    kind = model if model in OWN else "shapes"
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
