"""KDMN's vocabulary and its choices against their equations, written out answer by answer."""

from __future__ import annotations

import pytest
import torch

from kgmm.nn.answers import answer_logits
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.nn.kdmn_answers import ChoiceHead, VocabularyHead
from kgmm.train.kdmn import NEVER, end_loss, pointer_loss

SIZES = {"words": 3, "sentence": 4, "features": 2, "end_features": 3, "dim": 5, "product": 2}


def _batch(facts=4, seed=0):
    g = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(*shape, generator=g)

    mask = torch.tensor([[True] * facts, [True] * 2 + [False] * (facts - 2)])
    return FactBatch(
        random(2, 4),
        random(2, 3, 3),
        torch.tensor([[True] * 3, [True, False, False]]),
        random(2, facts, 3, 3),
        random(2, facts, 4),
        random(2, facts, 2),
        random(2, facts, 2, 3),
        mask,
    )


def _offered(seed=1):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 3, generator=g), torch.tensor([[True] * 3, [True, True, False]])


def test_vocabulary_reads_state_image_and_question():
    torch.manual_seed(0)
    head = VocabularyHead(7, dim=5, words=3, sentence=4).eval()
    state, image, question = torch.randn(2, 5), torch.randn(2, 3), torch.randn(2, 4)
    said = head(state, image, question)
    assert said.shape == (2, 7)
    for b in range(2):
        for v in range(7):
            read = torch.cat([state[b], image[b], 2.0 * question[b]])  # 2 = √4
            expected = sum(head.name.weight[v, i] * read[i] for i in range(12)) + head.name.bias[v]
            assert torch.allclose(said[b, v], expected, atol=1e-5)


def test_an_answer_at_an_end_and_in_the_vocabulary_gets_both_masses():
    torch.manual_seed(1)
    net = KDMN(**SIZES, answers=3).eval()
    batch = _batch()
    pointer, null, _, state = net(batch)
    logits = torch.cat([pointer.flatten(1), null[:, None], net.named(batch, state)], 1)
    share = logits.softmax(1)
    # ends say answers 0, 1, 0, 2 …; the vocabulary holds the answers 2, 3 and 0
    says = torch.tensor([[0, 1, 0, 2, 1, 1, 2, 0], [0, 1, 2, 2, -1, -1, -1, -1]])
    group = torch.cat([says, torch.full((2, 1), -1), torch.tensor([[2, 3, 0]] * 2)], 1)
    found = answer_logits(logits.log_softmax(1), group, 4).exp()
    for b in range(2):
        for answer in range(4):
            ends = sum(share[b, i] for i in range(8) if says[b, i] == answer)
            named = sum(share[b, 9 + v] for v, text in enumerate((2, 3, 0)) if text == answer)
            assert torch.allclose(found[b, answer], torch.as_tensor(ends + named), atol=1e-6)
    assert torch.allclose(found.sum(1) + share[:, 8], torch.ones(2), atol=1e-5)
    assert share[1, 4:8].max() == 0  # padding


def test_choices_are_scored_one_by_one():
    torch.manual_seed(2)
    head = ChoiceHead(dim=5, words=3, sentence=4, floor=1e-3).eval()
    state, image, question = torch.randn(2, 5), torch.randn(2, 3), torch.randn(2, 4)
    offered, mask = _offered()
    pointed = torch.tensor([[0.5, 0.0, 0.1], [0.2, 0.3, 0.0]])
    scores = head(state, image, question, offered, mask, pointed)
    weight = torch.cat([head.given.weight, head.offered.weight], 1)
    for b in range(2):
        for c in range(3):
            if not mask[b, c]:
                assert scores[b, c] == torch.finfo(scores.dtype).min
                continue
            read = torch.cat([state[b], image[b], 2.0 * question[b], offered[b, c]])
            expected = head.score.weight[0] @ torch.relu(weight @ read + head.given.bias)
            expected = expected + torch.log(pointed[b, c].clamp(min=1e-3))
            assert torch.allclose(scores[b, c], expected, atol=1e-5)


def test_the_query_reads_the_mean_of_the_choices():
    torch.manual_seed(3)
    net = KDMN(**SIZES, episodes=0, choices=True).eval()  # the state is then the query and the memory's mean
    batch, (offered, mask) = _batch(), _offered()
    open_ended, state = net(batch)[3], net(batch, offered, mask)[3]
    for b in range(2):
        seen = batch.seen[b][batch.seen_mask[b]].mean(0)
        before = net.query.weight @ torch.cat([seen, batch.question[b]]) + net.query.bias
        mean = offered[b][mask[b]].mean(0)
        grown = torch.tanh(before + net.offered.weight @ mean) - torch.tanh(before)
        assert torch.allclose(state[b] - open_ended[b], grown, atol=1e-5)


def test_padded_choices_change_nothing_and_get_no_gradient():
    torch.manual_seed(4)
    net = KDMN(**SIZES, choices=True).eval()
    batch, (offered, mask) = _batch(), _offered()
    offered.requires_grad_()
    pointed = torch.full((2, 3), 0.1)
    scores = net.chosen(batch, net(batch, offered, mask)[3], offered, mask, pointed)
    scores.log_softmax(1)[:, 0].sum().backward()
    assert offered.grad[1, 2].abs().max() == 0 and offered.grad[0].abs().min() > 0
    short = batch.take(slice(1, None))
    few, real = offered[1:, :2], mask[1:, :2]
    alone = net.chosen(short, net(short, few, real)[3], few, real, pointed[1:, :2])
    assert torch.allclose(alone, scores[1:, :2], atol=1e-5)


def test_vocabulary_and_choices_have_gradients_everywhere():
    net = KDMN(**SIZES, answers=6, choices=True)
    batch, (offered, mask) = _batch(), _offered()
    pointer, null, _, state = net(batch, offered, mask)
    total = pointer[batch.mask].sum() + null.sum() + net.named(batch, state).square().sum()
    (total + net.chosen(batch, state, offered, mask, torch.ones(2, 3))[mask].square().sum()).backward()
    dead = {n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().sum() == 0}
    assert not dead


def test_a_pointer_alone_has_neither():
    net = KDMN(**SIZES)
    batch, (offered, mask) = _batch(), _offered()
    assert net.named(batch, net(batch)[3]).shape == (2, 0)
    assert not [n for n in net.state_dict() if n.startswith(("vocabulary", "choice", "offered"))]
    with pytest.raises(ValueError, match="choices=False"):
        net.chosen(batch, net(batch)[3], offered, mask, torch.ones(2, 3))


def test_loss_adds_what_ends_and_vocabulary_say():
    torch.manual_seed(5)
    net = KDMN(**SIZES, answers=3).eval()
    batch = _batch()
    answers, gold = torch.zeros(2, 4, 2), torch.zeros(2, 4)
    answers[0, 1, 0] = answers[0, 3, 1] = gold[0, 3] = 1
    for said in ([2, 1], [-1, 1], [2, -1]):
        pointer, null, attention, state = net(batch)
        share = torch.cat([pointer.flatten(1), null[:, None], net.named(batch, state)], 1).softmax(1)
        word = [share[b, 9 + v] if v >= 0 else None for b, v in enumerate(said)]
        # first question: two ends say it, one of them of its gold fact; second: no end says it
        ends, cited = share[0, 2] + share[0, 7], share[0, 7]
        first = ends if word[0] is None else ends + word[0]
        expected = -0.5 * first.log() - 0.5 * cited.log() - 0.3 * (attention[0, -1, 3] + 1e-6).log()
        expected = expected - (share[1, 8] if word[1] is None else word[1]).log()
        loss = pointer_loss(net, batch, answers, gold, torch.tensor(said))
        assert torch.allclose(loss, expected / 2, atol=1e-5), said


def test_a_word_that_is_nowhere_changes_no_loss():
    torch.manual_seed(6)
    logits, attention = torch.randn(2, 9).log_softmax(1), torch.rand(2, 1, 4)
    answers, gold = torch.zeros(2, 4, 2), torch.zeros(2, 4)
    answers[0, 1, 0] = gold[0, 1] = 1
    without = end_loss(logits, attention, answers, gold)
    assert torch.equal(end_loss(logits, attention, answers, gold, word=torch.full((2,), NEVER)), without)
