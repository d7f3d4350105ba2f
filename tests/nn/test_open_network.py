"""The open network against a loop over evidence, with no evidence, and what its loss counts."""

from __future__ import annotations

import pytest
import torch

from kgmm.nn.open_network import Evidence, OpenNetwork, build_open, soft_loss
from tests.nn.test_graph_network import CONFIG, bert, pieces_of

V, KINDS = 3, 4


def network(kinds: int = KINDS, members: int = 1) -> OpenNetwork:
    torch.manual_seed(0)
    settings = {"answers": V, "kinds": kinds, "hidden": 6, "members": members, "reader": {"apart": 1, "rank": 2}}
    net = build_open(bert(), CONFIG, settings).eval()
    net.vectors.copy_(torch.randn(V, 8, generator=torch.Generator().manual_seed(1)))
    return net


def evidence(rows: list[tuple[int, int, int, float]], further: list[int]) -> Evidence:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    question, answer, kind = (torch.tensor(column, dtype=torch.int64) for column in columns[:3])
    return Evidence(question, answer, kind, torch.tensor(columns[3], dtype=torch.float32), torch.tensor(further))


ROWS = [(0, 1, 2, 0.5), (0, 1, 2, 0.25), (0, 3, 0, 1.0), (1, 0, 3, 1.0)]


def test_logits_are_guesses_and_the_sum_of_what_speaks_for_each_answer() -> None:
    net = network()
    member = net.members[0]
    torch.nn.init.normal_(member.gate.weight)
    pieces = pieces_of(net.reader, [[1, 2], [3], [4, 5], [3]], [[4], [5, 6]])
    found = net(pieces, evidence(ROWS, [1, 0]))
    z = torch.nn.functional.normalize(net.reader(pieces), dim=1) * 8**0.5
    names = torch.nn.functional.normalize(z[2] + z[3], dim=0) * 8**0.5, torch.zeros(8)
    for q, (asked, seen, named) in enumerate([(z[0], z[1], names[0]), (z[4], z[5], names[1])]):
        t = member.layer(torch.cat([asked, seen, asked * seen, named, asked * named]))
        wanted = [*(member.like(t) @ net.vectors.T + member.bias).tolist(), float(member.beyond)]
        for question, answer, kind, weight in ROWS:
            if question == q:
                wanted[answer] += float(member.gate(t)[kind]) * weight
        if q == 1:
            wanted[3] = -torch.inf
        assert found[q].softmax(0).tolist() == pytest.approx(torch.tensor(wanted).softmax(0).tolist(), abs=1e-5)


def test_members_are_averaged_by_their_shares() -> None:
    net = network(members=3)
    pieces, said = pieces_of(net.reader, [[1, 2], [3]], [[4], [5, 6]]), evidence(ROWS, [1, 0])
    assert torch.allclose(net(pieces, said).exp(), net.each(pieces, said).softmax(-1).mean(0), atol=1e-6)


def test_without_evidence_the_vocabulary_is_left() -> None:
    net = network()
    pieces = pieces_of(net.reader, [[1, 2], [3]])
    assert net(pieces, evidence([], [0])).shape == (1, V)
    bare = network(0)
    bare.load_state_dict(net.state_dict(), strict=False)
    assert torch.equal(bare(pieces, evidence(ROWS[:2], [1])), net(pieces, evidence([], [0])))


def test_the_loss_is_the_cross_entropy_with_each_rows_share_and_leaves_out_rows_without_answers() -> None:
    logits = torch.tensor([[1.0, 2.0, -torch.inf], [0.0, 5.0, 1.0]])
    scores = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    log_p = logits[0, :2].log_softmax(0)
    assert soft_loss(logits, scores).item() == pytest.approx(-(log_p[0] * 2 + log_p[1]).item() / 3, abs=1e-6)
