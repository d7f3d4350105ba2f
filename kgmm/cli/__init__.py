"""The ``kgmm`` command: a table of subcommands, each imported when it is run."""

import importlib
import io
import os
import sys
from typing import Any

import click

from kgmm.cli.ending import ended

#: command -> (module:function, short help); importing nothing keeps ``kgmm --help`` fast
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("kgmm.cli.ask:demo", "Answer three questions about photographs, with evidence."),
    "ask": ("kgmm.cli.ask:ask", "Answer a question about a photograph or scene graph."),
    "watch": ("kgmm.cli.watch:watch", "Tell when an edit changes an answer, and why."),
    "perceive": ("kgmm.cli.perceive:perceive", "Turn a photograph into a scene graph."),
    "describe": ("kgmm.cli.describe:describe", "Describe a picture, scene or film in short sentences."),
    "retrieve": ("kgmm.cli.ask:retrieve", "Show the facts that bear on a sentence or scene."),
    "encode": ("kgmm.cli.encode:encode", "Compute a store's vectors before anyone asks."),
    "align": ("kgmm.cli.align:align", "Bring pictures and texts of a store's concepts into one space."),
    "trace": ("kgmm.cli.trace:trace", "Look at, check and compare traces."),
    "load": ("kgmm.cli.store:load", "Load knowledge files into a store."),
    "read": ("kgmm.cli.documents:read", "Take documents in: text, HTML, PDF, EPUB, DOCX, JSONL, CSV …"),
    "overview": ("kgmm.cli.documents:overview", "Say what the documents in a store are about."),
    "entities": ("kgmm.cli.documents:entities", "Show which names of documents mean one thing."),
    "info": ("kgmm.cli.store:info", "Show a store's graphs, relations and versions."),
    "find": ("kgmm.cli.store:find", "Look facts up by subject, predicate, object."),
    "add": ("kgmm.cli.store:add", "Add one fact."),
    "remove": ("kgmm.cli.store:remove", "Remove facts."),
    "assertions": ("kgmm.cli.assertions:assertions", "Show who says a fact, and of which time."),
    "functional": ("kgmm.cli.assertions:functional", "Declare relations that have one value at a time."),
    "merge": ("kgmm.cli.assertions:merge", "Take in what other stores hold."),
    "withdraw": ("kgmm.cli.assertions:withdraw", "Take back what a contributor or document said."),
    "undo": ("kgmm.cli.assertions:undo", "Bring back what was withdrawn."),
    "believe": ("kgmm.cli.assertions:believe", "Weigh what is said: how likely facts are, whom to trust."),
    "same": ("kgmm.cli.same:same", "Propose concepts that may be one, and say that they are."),
    "forget": ("kgmm.cli.assertions:forget", "Forget a concept, in all versions."),
    "complete": ("kgmm.cli.complete:complete", "Say what a store leaves unsaid, with reasons."),
    "conflicts": ("kgmm.cli.assertions:conflicts", "Show what contradicts itself."),
    "sparql": ("kgmm.cli.store_io:sparql", "Run a SPARQL query."),
    "export": ("kgmm.cli.store_io:export", "Write a store to a file."),
    "check": ("kgmm.cli.store:check", "Verify a store and repair what is derivable."),
    "compact": ("kgmm.cli.store:compact", "Merge a store's small updates."),
    "vacuum": ("kgmm.cli.store:vacuum", "Delete what only versions replaced long ago need."),
    "walk": ("kgmm.cli.walk:walk", "Rank concepts by random walk with restart."),
    "path": ("kgmm.cli.walk:path", "Show the best paths between two concepts."),
    "plans": ("kgmm.cli.plans:plans", "Combine several contributors' plans into one."),
    "story": ("kgmm.cli.story:story", "Build a story graph from news video."),
    "summarize": ("kgmm.cli.story:summarize", "Summarize a news story."),
    "skim": ("kgmm.cli.skim:skim", "Cut films down to what stands out."),
    "mine": ("kgmm.cli:mine", "Find what rows and facts have in common."),
    "expect": ("kgmm.cli.expect:expect", "Say what is to be expected of an event, and why."),
    "similar": ("kgmm.cli.similar:similar", "Find what is like a picture or a sentence."),
    "recommend": ("kgmm.cli.recommend:recommend", "Say what a user may like, and why."),
    "train": ("kgmm.cli.train:train", "Train a model."),
    "eval": ("kgmm.cli:evaluate", "Measure a method on a data set."),
    "serve": ("kgmm.cli.serve:serve", "Explore a store in the browser."),
    "mcp": ("kgmm.cli.serve:mcp", "Offer a store to language models as tools."),
}
EVALUATIONS: dict[str, tuple[str, str]] = {
    "fvqa": ("kgmm.cli.eval_fvqa:fvqa", "Fact-based VQA: answers and supporting facts."),
    "hashing": ("kgmm.cli.eval_cross_modal:hashing", "Cross-modal hashing: mAP, precision-recall, times."),
    "fusion": ("kgmm.cli.eval_cross_modal:fusion", "Early, intermediate, late fusion; CCA, kernel CCA, PLS."),
    "faithfulness": ("kgmm.cli.eval_fvqa:faithfulness", "Are citations true, necessary, sufficient?"),
    "kdmn": ("kgmm.cli.eval_models:kdmn", "KDMN on FVQA by kind of question, beside its twins."),
    "commonsenseqa": ("kgmm.cli.eval_graph:commonsenseqa", "Questions with choices, answered by the graph network."),
    "okvqa": ("kgmm.cli.eval_graph:okvqa", "Questions about what detectors saw, answered by the graph network."),
    "crowd": ("kgmm.cli.eval_crowd:crowd", "What a crowd's answers come to, by every policy of trust."),
    "transfer": ("kgmm.cli.eval_transfer:transfer", "From a domain with labels to one without, beside no transfer."),
    "continual": (
        "kgmm.cli.eval_continual:continual",
        "Tasks learned one after another: what is kept, forgotten, carried over.",
    ),
    "skim": ("kgmm.cli.eval_skim:skim", "Film summaries against people's, beside chance and people themselves."),
    "recommend": ("kgmm.cli.eval_recommend:recommend", "Recommenders on ratings, beside popularity and random scores."),
    "completion": ("kgmm.cli.eval_completion:completion", "Both ends of triples kept apart, beside frequency."),
    "easy-vqa": ("kgmm.cli.eval_models:easy_vqa", "easy-vqa: answers from pixels."),
    "clevr": ("kgmm.cli.eval_models:clevr", "CLEVR-like scenes: programs one step longer than any in training."),
}
MINES: dict[str, tuple[str, str]] = {
    "rules": ("kgmm.cli.mining:rules", "Rules that a store's facts keep to."),
    "pictures": ("kgmm.cli.mining:pictures", "What pictures and their captions have in common."),
    "scenes": ("kgmm.cli.mining:scenes", "What goes with what in scenes and stories."),
    "candidates": ("kgmm.cli.mining:candidates", "What was mined and awaits a verdict."),
    "itemsets": ("kgmm.cli.mining:itemsets", "Sets of items that are together in many rows."),
}
#: commands that only read KB, where --bundled may stand in its place; ``ask`` has it as an option
READING = frozenset(
    [
        "complete",
        "entities",
        "expect",
        "export",
        "find",
        "info",
        "mcp",
        "path",
        "recommend",
        "retrieve",
        "serve",
        "similar",
        "sparql",
        "walk",
    ]
)
#: of every command: -h is --help, and help says what options are by default
SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True}


class LazyGroup(click.Group):
    """A Click group whose commands are imported when they are run."""

    def __init__(self, *args: Any, table: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the table's commands in its order."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None if the table does not have it."""
        if cmd_name not in self.table:
            return None
        module, function = self.table[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), function)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])


@click.group(cls=LazyGroup, table=COMMANDS, context_settings=SETTINGS)
@click.version_option(package_name="kgmm")
def cli() -> None:
    """Reason over knowledge graphs about pictures, text and news video.

    Commands that read a store take --bundled in the place of KB: the bundled knowledge, loaded once.
    """


@click.group(cls=LazyGroup, table=MINES)
def mine() -> None:
    """Find what rows and facts have in common."""


@click.group(cls=LazyGroup, table=EVALUATIONS)
def evaluate() -> None:
    """Measure a method on a data set."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: exit code 0 done, 1 failed with one line why, 2 wrong usage, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that is no text, a terminal without our letters
            stream.reconfigure(errors="backslashreplace")
    if code := ended(lambda: _run(given), given):
        sys.exit(code)


def _with_bundled(given: list[str]) -> list[str]:
    """Put the path of the bundled knowledge, loaded where it is not there yet, in the place of ``--bundled``."""
    if not given or given[0] not in READING or "--bundled" not in given:
        return given
    from kgmm.cli.output import progress_bar
    from kgmm.opening import open_bundled

    with progress_bar("bundled knowledge") as progress, open_bundled(progress=progress) as store:
        path = str(store.path)
    return [path if word == "--bundled" else word for word in given]


def _run(given: list[str]) -> Any:
    """Run a command as Click's own main does, which would print an empty line when it is interrupted."""
    given = _with_bundled(given)
    if "_KGMM_COMPLETE" in os.environ:  # a shell asks what could come next
        return cli.main(given, prog_name="kgmm", standalone_mode=False)
    with cli.make_context("kgmm", list(given)) as context:
        return cli.invoke(context)
