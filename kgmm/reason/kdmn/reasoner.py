"""KDMN: retrieve facts, attend to them in episodes, point at the end of one (Li, Su, Zhu 2017).

The knowledge enters only through the memory, so a knowledge base swapped in later is answered from as it stands.
What the network attended to in each episode is a step of the trace. A network that also has a vocabulary may name an
answer that no fact in memory says; that is a guess, named in the trace and withheld.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from kgmm.language.words import normal
from kgmm.nn.folders import kept_until_rewritten, load_weights, read_folder
from kgmm.nn.kdmn import KDMN
from kgmm.nn.policy import FactPolicy, PolicyKDMN
from kgmm.reason.answers import added_up
from kgmm.reason.kdmn.choices import choose, offer
from kgmm.reason.kdmn.memory import remembered
from kgmm.reason.kdmn.prior import StorePrior
from kgmm.reason.kdmn.tensors import Floats, MemoryInput, WordTable, pack
from kgmm.reason.necessary import also_cited
from kgmm.reason.task import Outcome, Task
from kgmm.retrieve.gather import Candidates
from kgmm.retrieve.score import best_facts, decode
from kgmm.store import Fact
from kgmm.trace import Step, cited, key

NAMES = ("kdmn",)
WEIGHTS = Path(__file__).parents[2] / "weights" / "kdmn"
#: probability below which the answer is withheld; what facts' ends carry less of is a guess
THRESHOLD = 0.05
#: further facts that an answer cites at most; for each the question is asked once more
FURTHER = 4


@dataclass(frozen=True)
class Trained:
    """A trained network with what it needs to read a question."""

    model: KDMN | PolicyKDMN
    words: WordTable
    limit: int
    checksum: str
    #: weighs the answers by the store's facts (kgmm train kdmn --fusion prior)
    prior: StorePrior | None = None
    #: answers it can name without a fact (kgmm train kdmn --vocabulary N)
    vocabulary: tuple[str, ...] = ()
    #: steps from a seen thing that its memories reach (kgmm train kdmn --hops 2)
    hops: int = 1


@kept_until_rewritten
def load(folder: Path) -> Trained:
    """Load a folder of ``kgmm train kdmn``, or raise as :func:`~kgmm.nn.folders.load_weights` and ``read_folder`` do."""
    with read_folder(folder, "a trained kdmn", "kgmm train kdmn fvqa --out DIR") as (config, known):
        words, vocabulary = known["words"], known.get("answers", [])
        table = load_file(folder / "words.safetensors")["vectors"]
        limit, hops = int(config["memory"]), int(config.get("hops", 1))
        model: KDMN | PolicyKDMN = KDMN(**config["network"])
        if "policy" in config:  # kgmm train kdmn --fusion policy
            model = PolicyKDMN(KDMN(**config["network"]), FactPolicy(**config["policy"]), int(config["picked"]))
        found = (len(words), len(table), len(vocabulary), config["network"].get("answers", 0))
        if found[0] != found[1] or found[2] != found[3]:
            raise ValueError("{} words with {} vectors, {} answers with {} outputs".format(*found))
        prior = StorePrior.read(folder / "prior.json") if (folder / "prior.json").is_file() else None
    checksum = load_weights(model, folder)
    return Trained(model, WordTable(words, table), limit, checksum, prior, tuple(vocabulary), hops)


@dataclass(frozen=True)
class Said:
    """An answer with its probability, how much of that ends of facts carry, and the best of these facts' row."""

    text: str
    probability: float
    pointed: float = 0.0
    row: int | None = None


@dataclass
class Read:
    """What the network made of a question: one row of *rows* a fact of the memory."""

    candidates: Candidates
    memory: MemoryInput
    #: what each end of each fact would say as an answer
    texts: list[list[str]]
    #: (N, 2) pointer logits, the null's, (T, N) attention
    pointer: Floats
    null: float
    attention: Floats
    model: str
    #: answers that may be named, and their logits
    vocabulary: tuple[str, ...] = ()
    named: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    #: probability of each of the task's choices, if the network reads them
    chosen: Floats | None = None

    def probabilities(self) -> Floats:
        """Return the probability of each end, (N, 2); with the null's and the vocabulary's they sum to one."""
        return self._share()[: self.pointer.size].reshape(self.pointer.shape)

    def _share(self) -> Floats:
        logits = np.concatenate([self.pointer.reshape(-1), self.named, [self.null]])
        weight = np.exp(logits - logits.max())
        return np.asarray(weight / weight.sum(), np.float32)

    def answers(self) -> list[Said]:
        """Return what the network may say, likeliest first; ends and names that say the same add up."""
        share, size = self._share(), self.pointer.size
        order = np.argsort(-share[:size], kind="stable").tolist()
        ends = [(self.texts[i // 2][i % 2], i // 2) for i in order]
        said = [normal(text) for text, _ in ends]
        best = dict(zip(reversed(said), reversed(ends), strict=True))
        pointed = added_up(said, share[order])
        total = added_up([*said, *self.vocabulary], [*share[order], *share[size:-1]])
        found = [Said(best[k][0], p, pointed[k], best[k][1]) if k in best else Said(k, p) for k, p in total.items()]
        return sorted(found, key=lambda a: -a.probability)


def read(task: Task, trained: Trained | None = None) -> Read:
    """Retrieve a task's memory and run the network over it; one that reads choices reads the task's."""
    trained = trained or load(WEIGHTS)
    candidates, memory = remembered(task, trained.limit, trained.hops)
    texts = _texts(task, candidates, memory)
    flat = [normal(text) for pair in texts for text in pair]
    batch, model, chosen = pack([memory], trained.words), trained.model, None
    with torch.inference_mode():
        if task.choices is not None and isinstance(model, KDMN) and model.choice is not None:
            offered = offer(task.choices, flat, trained.words, 2 * batch.mask.shape[1])
            scores, pointer, null, attention = choose(model, batch, offered)
            chosen = scores[0].softmax(0).numpy()
            named = pointer.new_zeros(1, 0)
        else:
            pointer, null, attention, state = model(batch)
            named = model.named(batch, state) if isinstance(model, KDMN) else pointer.new_zeros(1, 0)
    n = len(memory.triples)
    pointer, null = pointer[0, :n], null[0]
    if trained.prior is not None:
        weighed = trained.prior(task, flat, torch.cat([pointer.flatten(), null[None]]))
        pointer, null = weighed[:-1].reshape(n, 2), weighed[-1]
    vocabulary = trained.vocabulary if named.shape[1] else ()
    logits, attended = (pointer.numpy(), float(null)), attention[0, :, :n].numpy()
    return Read(candidates, memory, texts, *logits, attended, trained.checksum, vocabulary, named[0].numpy(), chosen)


def answer(task: Task, name: str = "kdmn", folder: Path | None = None) -> Outcome:
    """Answer one question from its memory.

    Args:
        task: the question. Its threshold of 0 asks for guesses as well, which no fact supports; they cite nothing.
        name: what the reasoner was asked for by.
        folder: a trained network of ``kgmm train kdmn``; the shipped one by default.

    Returns:
        The outcome; its text is None if the null wins, no end is likely enough, or the likeliest answer is a guess.
    """
    trained = load(folder or WEIGHTS)
    found = read(task, trained)
    steps = _episodes(found)
    parts = {f"attention {t}": weights.astype(np.float64) for t, weights in enumerate(found.attention, 1)}
    per_fact = found.probabilities().sum(1).astype(np.float64)
    memory = best_facts(task.store, found.candidates, per_fact, parts, task.limit)
    outcome = Outcome(None, memory=memory, steps=steps, model=found.model)
    if not found.texts and not found.vocabulary and found.chosen is None:
        return replace(outcome, abstained="no fact is known of what is seen")
    order = _choices(task.choices, found) if task.choices is not None else found.answers()
    if not order:
        return replace(outcome, abstained="no choice is an end of a fact in memory")
    best, rest = order[0], [(a.text, round(a.probability, 4)) for a in order[1 : task.top]]
    listed = {"answers": [[a.text, round(a.probability, 4)] for a in order[:5]]}
    outcome.score = round(best.probability, 4)
    if _guessed(best, order, found):
        said = f"{best.text!r} is the network's guess; no fact in memory supports it"
        steps.append(Step("guess", said, {**listed, "supported": False}))
        if task.threshold != 0:
            reason = f"no fact in memory supports {best.text!r}, the network's guess ({best.probability:.2f})"
            return replace(outcome, abstained=reason)
        return replace(outcome, text=best.text, alternatives=rest)
    steps.append(Step("point", f"the pointer rests on {best.text!r}", listed))
    least = THRESHOLD if task.threshold is None else task.threshold
    if task.choices is None and best.probability < least:
        reason = f"the likeliest answer {best.text!r} has probability {best.probability:.2f}, below {least}"
        return replace(outcome, abstained=reason)
    facts = _carrying(task, found, best)

    def again(gone: list[Fact]) -> list[Fact] | None:
        asked = replace(task, exclude=task.exclude.union(map(key, gone)))
        without = read(asked, trained)
        said = _choices(task.choices, without) if task.choices is not None else without.answers()
        if not said or normal(said[0].text) != normal(best.text) or said[0].row is None:
            return None
        unlikely = task.choices is None and said[0].probability < least
        return None if unlikely or _guessed(said[0], said, without) else _carrying(asked, without, said[0])

    also = also_cited(best.text, facts, again, steps, FURTHER)
    return replace(outcome, text=best.text, alternatives=rest, citations=[*also, *cited(facts)])


def _carrying(task: Task, found: Read, best: Said) -> list[Fact]:
    """Return the facts that carry an answer, the deciding one last: the way there, kinds that hand them down, themselves."""
    assert best.row is not None
    rows = [*_way(found, best.row), best.row]
    facts = decode(task.store, found.candidates.take(rows), np.zeros(len(rows)), {}, len(rows))
    return [f for fact in facts for f in (*fact.chain, fact.fact)]


def _way(found: Read, row: int) -> list[int]:
    """Return the row of the fact that leads to a second fact's bridge, the one the first episode attends to most; else none."""
    c = found.candidates
    bridge, first = c.roots[int(c.root[row])], np.array([c.roots[int(r)] for r in c.root])
    leads = np.flatnonzero((np.where(c.end == 0, c.object, c.subject) == bridge) & (first != bridge))
    if not len(leads) or not len(found.attention):
        return []
    return [int(leads[np.argmax(found.attention[0][leads])])]


def _guessed(best: Said, order: list[Said], found: Read) -> bool:
    """Tell whether an answer is more the network's than its memory's: next to nothing of it is pointed at."""
    if best.row is None:
        return True
    if found.chosen is None:
        return bool(found.vocabulary) and best.pointed < THRESHOLD
    return best.pointed < THRESHOLD * sum(a.pointed for a in order)


def _choices(choices: list[str], found: Read) -> list[Said]:
    """Return the choices, likeliest first; those that nothing says are left out where the network reads none."""
    known = {normal(a.text): a for a in found.answers()}
    if found.chosen is not None:
        scored = zip(choices, found.chosen.tolist(), strict=True)
        said = [replace(known.get(normal(c), Said(c, 0.0)), text=c, probability=p) for c, p in scored]
    else:
        allowed = {normal(c): c for c in choices}
        kept = [replace(known[key], text=c) for key, c in allowed.items() if key in known]
        total = max(sum(a.probability for a in kept), 1e-12)
        said = [replace(a, probability=a.probability / total) for a in kept]
    return sorted(said, key=lambda a: -a.probability)


def _texts(task: Task, c: Candidates, memory: MemoryInput) -> list[list[str]]:
    """Return the answer each end would give; a seen end bears its object's name."""
    out = [[subject, object] for subject, _, object in memory.triples]
    for pair, root, end in zip(out, c.root.tolist(), c.end.tolist(), strict=True):
        if seen := task.objects_of(task.store.terms.name(c.roots[root])):
            pair[end] = task.scene[seen[0]].name
    return out


def _episodes(found: Read) -> list[Step]:
    """Say what each episode attended to."""
    steps = []
    for t, weights in enumerate(found.attention, 1):
        top = np.argsort(-weights, kind="stable")[:5].tolist()
        facts = [[" ".join(found.memory.triples[i]), round(float(weights[i]), 4)] for i in top]
        text = f"episode {t} attends to {facts[0][0]!r}" if facts else f"episode {t} has nothing to attend to"
        steps.append(Step(f"episode {t}", text, {"attention": facts}))
    return steps
