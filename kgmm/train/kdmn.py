"""KDMN on FVQA as a training problem: its loss, how its predictions are ranked and counted, its questions split once more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import Tensor

from kgmm.data.fvqa import FvqaQuestion, load_questions, split_by_image
from kgmm.errors import KgmmError
from kgmm.nn.answers import end_logits
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.reason.answers import added_up
from kgmm.reason.kdmn.tensors import END_FEATURES, FEATURES, Floats, WordTable, pack
from kgmm.train.choices import TOGETHER, Choices, choice_accuracy, choice_loss, frequent, places
from kgmm.train.measures import hit_rates
from kgmm.train.memories import (
    MEMORY,
    Data,
    Example,
    FactBase,
    bridge_labels,
    examples,
    labels,
    load_fvqa,
    spoiled,
    word_table,
)

ABOUT = "A dynamic memory network over facts retrieved for a question (arXiv:1712.00733)."
NETWORK: dict[str, Any] = {"dim": 112, "product": 48, "dropout": 0.4}  #: sizes of the network unless told otherwise
FORGOTTEN = 0.15  #: share of the questions whose memory is hidden in training, if there is a vocabulary
NEVER = -1e9  #: a log probability that stands for none
ATTEND = 0.3  #: weight of the attention's part
LEAD = 1.0  #: weight of the first episode's part where questions need two facts
#: settings of the network where they do, unless told otherwise
CHAINED: dict[str, Any] = {"dim": 64, "product": 48, "dropout": 0.1, "pointer": "state"}


class FvqaProblem:
    """KDMN on FVQA for :func:`kgmm.train.fit.fit`.

    The loss is the mean of two negative log likelihoods under the pointer's softmax (all ends and the null): of the
    ends that say the gold answer, and of the gold fact's answering end; plus the last attention's on the gold fact.
    With a vocabulary, the softmax and the gold answer's likelihood take its words in, and the memories of
    :data:`FORGOTTEN` of the questions are hidden; with choices, the cross-entropy of the right one is added.

    Args:
        folder, distractors: with ``questions-train.json`` and ``facts.jsonl``; further triples.
        knowledge: ``full``, ``empty`` (no fact: the model can only abstain) or ``shuffled`` (each question reads
            another question's memory): the twins that show what the knowledge does.
        blind: hide the seen names from the network; its memory is still retrieved from them, so this is no
            question-only model.
        dev, split: share of images held out, and the seed of the choice.
        network: settings of :class:`~kgmm.nn.kdmn.KDMN`.
        data: (facts, training questions, held-out questions) in the place of the folder's.
        vocabulary: answers that may be named without a fact: so many of the most frequent right ones of the training,
            or a list of normalized ones.
        choices: answers to choose from that the network also learns to score, the right one among them; 0 for none.
        known: answers of a vocabulary that a training before has learned; they come first.
        hops: 2 for memories that hold facts of bridges as well; the first episode's attention is then taught to rest on
            what leads to the gold facts, with weight *lead*.
        held_base: facts that the held-out questions of *data* are about, if they are others.

    Raises:
        BadInput: if a file is missing or not of FVQA's layout.
        KgmmError: if there are too few questions, or no fact is about anything seen.
    """

    metric = "top1"
    ways: Tensor | None = (
        None  #: (Q, N, 2) ends that first episodes are taught to rest on, where questions need two facts
    )
    lead: float = LEAD  #: how much that counts

    def __init__(
        self,
        folder: str | Path,
        distractors: str | Path | None = None,
        *,
        seed: int = 0,
        split: int = 1,
        dev: float = 0.2,
        knowledge: str = "full",
        blind: bool = False,
        limit: int = MEMORY,
        network: dict[str, Any] | None = None,
        data: Data | None = None,
        vocabulary: int | list[str] = 0,
        choices: int = 0,
        hops: int = 1,
        lead: float = LEAD,
        held_base: FactBase | None = None,
        known: Sequence[str] = (),
    ) -> None:
        base, train, held = data or load_fvqa(Path(folder), distractors, dev, split)
        if not train or not held:
            counted = f"{len(train)} questions to learn from and {len(held)} about other images to test on"
            raise KgmmError(f"{folder}: {counted}; both are needed")
        self.words: WordTable = word_table(30_000)
        asked = ((train, base), (held, held_base or base))
        parts = (spoiled(examples(part, facts, limit, hops), knowledge, seed) for part, facts in asked)
        self.train: list[Example]
        self.held: list[Example]
        self.train, self.held = ([e.blind() for e in part] if blind else part for part in parts)
        self.size: int = len(self.train)
        rights = [e.answer for e in self.train]
        more = frequent(rights, vocabulary) if isinstance(vocabulary, int) else vocabulary
        self.answers: list[str] = list(dict.fromkeys([*known, *more]))
        self.old: int = len(known)
        sizes = {"words": self.words.dim, "features": len(FEATURES), "end_features": len(END_FEATURES)}
        heads = ({"answers": len(self.answers)} if self.answers else {}) | ({"choices": True} if choices else {})
        settings = {**sizes, **(NETWORK if hops == 1 else CHAINED), **(network or {}), **heads}
        torch.manual_seed(seed)
        self.model: torch.nn.Module = KDMN(**settings)
        own = {"name": "kdmn", "data": "fvqa", "network": settings, "split": split, "dev": dev, "about": ABOUT}
        read = {"encoder": base.encoder.checksum, "memory": limit, "knowledge": knowledge, "blind": blind}
        self.config: dict[str, Any] = {**own, **read, **({"hops": hops} if hops != 1 else {})}
        named = {"answers": self.answers} if self.answers else {}
        self.vocabulary: dict[str, Any] = {"words": self.words.words, **named}
        self.train_batch: FactBatch = pack([e.memory for e in self.train], self.words)
        self.held_batch: FactBatch = pack([e.memory for e in self.held], self.words)
        self.right_ends: Tensor
        self.gold_facts: Tensor
        self.right_ends, self.gold_facts = labels(self.train, self.train_batch.mask.shape[1])
        if hops == 2:
            self.ways = bridge_labels(self.train, self.train_batch.mask.shape[1])
            self.lead = lead
        self._said = places(self.train, self.answers)
        self._choices = [
            Choices(part, self.words, choices, 2 * batch.mask.shape[1], rights) if choices else None
            for part, batch in ((self.train, self.train_batch), (self.held, self.held_batch))
        ]

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean loss of training samples *rows*."""
        return self.loss_of(self.model, rows)

    def loss_of(self, model: torch.nn.Module, rows: Tensor) -> Tensor:
        """Return the mean loss of training samples under a network of the same settings."""
        device = next(model.parameters()).device
        batch = self.train_batch.take(rows).to(device)
        answers, gold, said = (x[rows].to(device) for x in (self.right_ends, self.gold_facts, self._said))
        if self.answers and FORGOTTEN:  # else the vocabulary learns nothing that facts do not say already
            kept = torch.rand(len(rows)).to(device) >= FORGOTTEN
            batch = replace(batch, mask=batch.mask & kept[:, None])
            answers, gold = answers * kept[:, None, None], gold * kept[:, None]
        ways = None if self.ways is None else self.ways[rows].to(device) * self.lead
        loss = pointer_loss(model, batch, answers, gold, said, ways)
        if self._choices[0] is None or not isinstance(model, KDMN):
            return loss
        return loss + choice_loss(model, batch, self._choices[0].draw(rows).to(device))

    growing = ("vocabulary.name.weight", "vocabulary.name.bias")

    def take(self, rows: Tensor) -> dict[str, Tensor]:
        """Return training samples as they can be kept: the memories' tensors and their labels."""
        read = {f"read.{k}": v for k, v in vars(self.train_batch.take(rows)).items() if v is not None}
        found = {**read, "right": self.right_ends[rows], "gold": self.gold_facts[rows], "said": self._said[rows]}
        return found if self.ways is None else {**found, "ways": self.ways[rows]}

    def loss_on(self, samples: dict[str, Tensor]) -> Tensor:
        """Return the mean loss of samples that :meth:`take` gave, none of whose memories is hidden."""
        device = next(self.model.parameters()).device
        right, gold, said = (samples[name].to(device) for name in ("right", "gold", "said"))
        ways = samples["ways"].to(device) * self.lead if "ways" in samples else None
        return pointer_loss(self.model, _batch(samples).to(device), right, gold, said, ways)

    def outputs(self, model: torch.nn.Module, samples: dict[str, Tensor]) -> list[Tensor]:
        """Return the logits of ends, null and the answers that were learned before."""
        batch = _batch(samples).to(next(model.parameters()).device)
        pointer, null, _, state = model(batch)
        named = model.named(batch, state)[:, : self.old] if isinstance(model, KDMN) else state.new_zeros(len(state), 0)
        return [end_logits(pointer, null, named)]

    def evaluate(self) -> dict[str, float]:
        """Return top1, top3, fact1 and fact3 on the held-out images, and how many choices are right."""
        figures = score(self.held, predict(self.model, self.held_batch), self.answers)
        if self._choices[1] is not None and isinstance(self.model, KDMN):
            figures["choice"] = choice_accuracy(self.model, self.held_batch, self._choices[1])
        return figures

    def write(self, folder: Path) -> None:
        """Write the word vectors, in half precision."""
        write_words(self.words, folder)


def _batch(samples: dict[str, Tensor]) -> FactBatch:
    return FactBatch(**{k.removeprefix("read."): v for k, v in samples.items() if k.startswith("read.")})


def write_words(words: WordTable, folder: Path) -> None:
    """Write a word table's vectors beside the model that reads them."""
    vectors = np.ascontiguousarray(words.vectors[:-1].astype(np.float16))
    (folder / "words.safetensors").write_bytes(save({"vectors": vectors}))


@torch.no_grad()
def predict(model: torch.nn.Module, batch: FactBatch) -> NDArray[np.float32]:
    """Return pointer logits, the null's, and those of the vocabulary if there is one: (Q, 2 N + 1 + V)."""
    device = next(model.parameters()).device
    out = []
    for rows in torch.split(torch.arange(len(batch.mask)), TOGETHER):
        part = batch.take(rows).to(device)
        pointer, null, _, state = model(part)
        named = (model.named(part, state),) if isinstance(model, KDMN) else ()
        out.append(end_logits(pointer, null, *named).cpu().numpy())
    return np.concatenate(out)


def ranked(texts: list[str], logits: Floats, vocabulary: Sequence[str] = ()) -> list[tuple[str, float]]:
    """Add up the probability of all ends, and of the vocabulary's answer, that say the same; best first.

    >>> ranked(["cat", "dog", "cat"], np.log(np.array([0.3, 0.4, 0.3])))[0][0]
    'cat'
    """
    answers = [*texts, *vocabulary]
    if not answers:
        return []
    given = np.concatenate([logits[: len(texts)], logits[len(logits) - len(vocabulary) :]])
    total = added_up(answers, np.exp(given - given.max()))
    return sorted(total.items(), key=lambda item: -item[1])


def score(part: list[Example], logits: NDArray[np.float32], vocabulary: Sequence[str] = ()) -> dict[str, float]:
    """Return top1, top3 (answers), fact1, fact3 (gold among the first cited) as FVQA's scorer counts them."""
    answers, facts = [], []
    for e, row in zip(part, logits, strict=True):
        answers.append([t == e.answer for t, _ in ranked(e.texts, row, vocabulary)[:3]])
        best = list(dict.fromkeys(np.argsort(-row[: len(e.texts)], kind="stable") // 2))[:3]
        facts.append([bool(e.gold[i]) for i in best])
    return hit_rates(answers, facts)


def pointer_loss(
    model: torch.nn.Module,
    batch: FactBatch,
    answers: Tensor,
    gold: Tensor,
    said: Tensor | None = None,
    ways: Tensor | None = None,
) -> Tensor:
    """Return the loss described at :class:`~kgmm.train.kdmn.FvqaProblem`; answers (B, N, 2), gold (B, N), said (B,).

    *ways* (B, N, 2) weighs the ends that the first of several episodes should rest on.
    """
    if isinstance(model, KDMN):
        pointer, null, looks, state = model.looks(batch)
        vocabulary = model.named(batch, state)
    else:
        pointer, null, attention, state = model(batch)
        looks, vocabulary = attention.unsqueeze(-1), state.new_zeros(len(state), 0)
    logits = end_logits(pointer, null, vocabulary).log_softmax(1)
    word = None
    if said is not None and vocabulary.shape[1]:
        of = logits[:, -vocabulary.shape[1] :].gather(1, said.clamp(min=0).unsqueeze(1)).squeeze(1)
        word = of.masked_fill(said < 0, NEVER)
    loss = end_loss(logits[:, : -vocabulary.shape[1] or None], looks, answers, gold, word)
    if ways is not None and looks.shape[1] > 1:
        loss = loss + lead_loss(looks[:, 0], ways)
    return loss.mean()


def lead_loss(look: Tensor, ways: Tensor) -> Tensor:
    """Return how unlikely each question's first *look*, (B, N, 2) or (B, N, 1), is to rest on its *ways* (B, N, 2), (B,)."""
    weight = ways.amax((1, 2))
    wanted = (ways if look.shape[-1] == 2 else ways.amax(-1, keepdim=True)) > 0
    return -weight * torch.log((look * wanted).sum((1, 2)) + 1e-6)


def end_loss(logits: Tensor, attention: Tensor, answers: Tensor, gold: Tensor, word: Tensor | None = None) -> Tensor:
    """Return each question's loss, (B,), of *logits* (B, 2 N + 1), log probabilities of all ends and the null.

    *attention* is (B, T, N), or (B, T, N, 2) of ends; *answers* (B, N, 2) is 1 where an end says the gold answer, *gold* (B, N) for gold facts;
    *word* (B,) the log probability of the gold answer in the vocabulary, :data:`NEVER` where it is not in it.
    """
    right, cited = answers.flatten(1) > 0, (answers * gold.unsqueeze(-1)).flatten(1) > 0
    none = logits[:, -1] if word is None else torch.where(word > NEVER, word, logits[:, -1])

    def likelihood(mask: Tensor) -> Tensor:
        return torch.logsumexp(logits[:, :-1].masked_fill(~mask, NEVER), 1)

    answered, pointed = right.any(1), cited.any(1)
    by_end = torch.where(answered, likelihood(right), none)
    if word is not None:
        by_end = torch.where(answered & (word > NEVER), torch.logaddexp(by_end, word), by_end)
    by_gold = torch.where(pointed, likelihood(cited), none)
    attention = attention if attention.dim() == 4 else attention.unsqueeze(-1)
    aim = answers * gold.unsqueeze(-1) if attention.shape[-1] == 2 else gold.unsqueeze(-1)
    on_gold = torch.log((attention[:, -1] * aim).sum((1, 2)) + 1e-6) * (aim.sum((1, 2)) > 0)
    return -(0.5 * by_end + 0.5 * by_gold + ATTEND * on_gold)


@dataclass(frozen=True)
class Split:
    """Which of FVQA's training questions have labels to learn from, and which are kept to tune on."""

    questions: list[FvqaQuestion]  #: the training questions in the order of ``FvqaProblem.train``
    labelled: Tensor  #: rows to learn from
    tune: Tensor  #: rows of other images, for all that is not a weight: epochs, temperatures, the prior's weight


def split_training(problem: FvqaProblem, folder: str | Path, share: float = 1.0, tune: float = 0.15) -> Split:
    """Split a *share* of the training questions of a problem made from *folder* by image; *tune* is for tuning."""
    known = problem.config
    questions = split_by_image(load_questions(Path(folder) / "questions-train.json"), known["dev"], known["split"])[0]
    used = split_by_image(questions, share, 11)[1] if share < 1 else questions
    rest, kept = split_by_image(used, tune, 12)
    at = {q.question_id: i for i, q in enumerate(questions)}
    rows = [torch.tensor([at[q.question_id] for q in part], dtype=torch.long) for part in (rest, kept)]
    return Split(questions, rows[0], rows[1])
