"""Networks that summarize films: literal losses, true gradients, distributions over subsets, the same bits twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kgmm.errors import BadInput, KgmmError
from kgmm.nn.dsse import DSSE
from kgmm.nn.film import FilmNetwork, FilmTensors
from kgmm.nn.film_networks import NETWORKS, film_network, load_film_network
from kgmm.nn.film_policy import FilmPolicy, coverage, diversity, representativeness
from kgmm.nn.query_memory import QueryMemory
from kgmm.nn.seqdpp import JITTER, log_factor
from kgmm.nn.shdpp import SHDPP
from tests.nn.films import assert_true_gradient, small_film, subsets

SETTINGS = {
    "seqdpp": {"in_dim": 7, "rank": 6, "length": 4},
    "shdpp": {"in_dim": 7, "concepts": 5, "rank": 6, "length": 4},
    "query-memory": {"in_dim": 7, "query_dim": 3, "dim": 4, "rank": 6, "length": 4},
    "dsse": {"in_dim": 7, "side_dim": 3, "hidden": 5, "dim": 4},
    "policy": {"in_dim": 7, "hidden": 3, "draws": 4},
}


def _network(name: str, seed: int = 0, **more: object) -> FilmNetwork:
    torch.manual_seed(seed)
    return film_network(name, SETTINGS[name] | more)


def _loss(network: FilmNetwork, film: FilmTensors) -> torch.Tensor:
    return network.loss(film, torch.Generator().manual_seed(5))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_gradient_is_that_of_finite_differences(name: str) -> None:
    network, film = _network(name), small_film()
    assert_true_gradient(network, lambda: _loss(network, film))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    film = small_film()
    one, two = _network(name), _network(name)
    for network in (one, two):
        step = torch.optim.SGD(network.parameters(), 0.01)
        for _ in range(3):
            step.zero_grad()
            _loss(network, film).backward()
            step.step()
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert torch.equal(one.judge(film).moments, two.judge(film).moments)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_judgement_has_a_worth_for_every_moment_and_segment(name: str) -> None:
    network, film = _network(name), small_film()
    made = network.judge(replace(film, chosen=None, asked=None, pictured=None, importance=None))
    assert made.moments.shape == (12,) and made.segments.shape == (6,)
    assert float(made.moments.min()) >= 0 and float(made.segments.min()) >= 0 and float(made.segments.max()) > 0
    assert made.chosen is None or (set(made.asked) <= set(made.chosen) <= set(range(6)))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_film_of_one_shot_is_learned_from_and_judged(name: str) -> None:
    film = FilmTensors(
        torch.ones(1, 7),
        chosen=(0,),
        asked=(0,),
        concepts=torch.ones(1, 5),
        query=torch.ones(5),
        query_text=torch.ones(3),
        title_text=torch.ones(3),
        pictured=(0,),
        entities=torch.ones(1, 2),
    )
    network = _network(name)
    assert torch.isfinite(_loss(network, film))
    assert network.judge(film).segments.shape == (1,) and torch.isfinite(network.judge(film).moments).all()


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_training_raises_what_it_is_trained_for(name: str) -> None:
    """A few steps on one film lower its loss; a policy's expected reward rises."""
    network, film = _network(name), small_film(4 if name == "policy" else 6)
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    random = torch.Generator().manual_seed(1)
    before = _expected(network, film)
    for _ in range(60):
        optimizer.zero_grad()
        network.loss(film, random).backward()
        optimizer.step()
    assert _expected(network, film) < before - 0.01


def _expected(network: FilmNetwork, film: FilmTensors) -> float:
    """The loss; of a policy the exact expectation of the negative reward, with the term of its mean."""
    if not isinstance(network, FilmPolicy):
        return float(network.loss(film).detach())
    with torch.no_grad():
        return float(_policy_objective(network, film))


def _policy_objective(network: FilmPolicy, film: FilmTensors) -> torch.Tensor:
    p = torch.sigmoid(network(film))
    total = p.new_zeros(())
    for kept in torch.cartesian_prod(*[torch.tensor([False, True])] * len(p)):
        total = total - torch.where(kept, p, 1 - p).prod() * network.reward(film, kept)
    return total + network.spread * (p.mean() - network.rate) ** 2


# SH-DPP


def test_both_layers_of_shdpp_are_distributions_over_subsets() -> None:
    network, film = _network("shdpp"), small_film(8)
    assert isinstance(network, SHDPP)
    asked, free = network.kernels(film)
    total = 0.0
    for first in subsets([4, 5, 6, 7]):
        left = [shot for shot in [4, 5, 6, 7] if shot not in first]
        for second in subsets(left):
            likely = log_factor(asked, first, [4, 5, 6, 7], [1])
            if left:
                likely = likely + log_factor(free, second, left, [0, 2, *first])
            total += float(likely.exp())
    assert total == pytest.approx(1.0, abs=1e-9)


def test_the_loss_of_shdpp_is_its_literal_form() -> None:
    network, film = _network("shdpp"), small_film()
    w, v = network.query.detach().numpy(), network.features.weight.detach().numpy()
    rest = 1 / (1 + np.exp(-float(network.unasked)))
    shots = film.features.numpy().reshape(6, 2, 7).mean(1)
    scores = film.concepts.numpy().reshape(6, 2, 5).mean(1)
    c = np.diag(rest + (1 - rest) * film.query.numpy())
    omega = scores @ c.T @ w.T @ w @ c @ scores.T + JITTER * np.eye(6)
    upsilon = shots @ v.T @ v @ shots.T + JITTER * np.eye(6)

    def factor(kernel, before, chosen, offered):
        held, ground = before + chosen, before + offered
        ones = np.diag([0.0] * len(before) + [1.0] * len(offered))
        top = np.log(np.linalg.det(kernel[np.ix_(held, held)])) if held else 0.0
        return top - np.log(np.linalg.det(kernel[np.ix_(ground, ground)] + ones))

    # steps {0..3} and {4, 5}; asked (1, 4), chosen beside (0,)
    literal = -factor(omega, [], [1], [0, 1, 2, 3]) - factor(upsilon, [1], [0], [0, 2, 3])
    literal -= factor(omega, [1], [4], [4, 5]) + factor(upsilon, [0, 4], [], [5])
    assert float(network.loss(film).detach()) == pytest.approx(literal, rel=1e-9)


def test_shdpp_takes_what_the_query_asks_for() -> None:
    network = _network("shdpp", rank=8, unasked=0.01)
    assert isinstance(network, SHDPP)
    with torch.no_grad():
        network.query.copy_(torch.eye(8, 5) * 3)
        network.features.weight.zero_()
    film = FilmTensors(torch.zeros(5, 7), concepts=torch.eye(5), query=torch.eye(5)[2])
    made = network.judge(film)
    assert made.asked == made.chosen == (2,)
    assert int(made.segments.argmax()) == 2
    assert network.judge(replace(film, query=torch.eye(5)[4])).asked == (4,)


# query-focused memory network


@pytest.mark.parametrize("joint", [True, False])
def test_the_loss_of_the_memory_network_is_its_literal_form(joint: bool) -> None:
    network, film = _network("query-memory", joint=joint), small_film()
    assert isinstance(network, QueryMemory)
    a, c = network.match.weight.detach().numpy(), network.content.weight.detach().numpy()
    b, d = network.asking.weight.detach().numpy(), network.choosing.weight.detach().numpy()
    u = b @ film.query_text.numpy()
    z = []
    for shot in film.features.numpy().reshape(6, 2, 7):
        grown = [np.exp(u @ (a @ f)) for f in shot]
        o = sum(g / sum(grown) * (c @ f) for g, f in zip(grown, shot, strict=True))
        z.append(d @ (np.concatenate([o, o * u]) if joint else o))
    kernel = np.array(z) @ np.array(z).T + JITTER * np.eye(6)
    literal = 0.0
    for before, chosen, segment in [([], [0, 1], [0, 1, 2, 3]), ([0, 1], [4], [4, 5])]:
        held, ground = before + chosen, before + segment
        offered = np.diag([0.0] * len(before) + [1.0] * len(segment))
        literal -= np.log(np.linalg.det(kernel[np.ix_(held, held)]))
        literal += np.log(np.linalg.det(kernel[np.ix_(ground, ground)] + offered))
    assert float(network.loss(film).detach()) == pytest.approx(literal, rel=1e-9)


def test_attention_sums_to_one_in_each_shot_and_the_factors_over_subsets() -> None:
    network, film = _network("query-memory"), small_film()
    assert isinstance(network, QueryMemory)
    looks = network.judge(film).attention
    assert looks is not None and looks.reshape(6, 2).sum(1).tolist() == pytest.approx([1.0] * 6)
    kernel = network(film).detach()
    total = sum(float(log_factor(kernel, some, [2, 3, 4, 5], [0]).exp()) for some in subsets([2, 3, 4, 5]))
    assert total == pytest.approx(1.0, abs=1e-9)


def test_without_the_joint_term_shots_of_equal_moments_are_judged_alike_whatever_is_asked() -> None:
    film = small_film()
    still = replace(film, features=film.features[::2].repeat_interleave(2, 0))
    other = replace(still, query_text=-2 * film.query_text)
    blind, joint = _network("query-memory", joint=False), _network("query-memory")
    assert torch.allclose(blind(still), blind(other))
    assert not torch.allclose(joint(still), joint(other))


def test_aligned_blocks_start_as_a_likeness_of_texts() -> None:
    network = _network("query-memory", aligned=[2])
    assert isinstance(network, QueryMemory)
    assert torch.equal(network.match.weight[:, 2:5], network.asking.weight)
    assert torch.equal(network.content.weight[:, 2:5], network.asking.weight)


# deep semantic and side embedding


@pytest.mark.parametrize("contrast", [0.0, 0.7])
def test_the_loss_of_dsse_is_its_literal_form(contrast: float) -> None:
    network, film = _network("dsse", alpha=0.5, contrast=contrast), small_film()
    state = {name: value.numpy() for name, value in network.state_dict().items()}

    def through(part, x):
        first = np.tanh(state[f"{part}.first.weight"] @ x + state[f"{part}.first.bias"])
        code = state[f"{part}.second.weight"] @ first + state[f"{part}.second.bias"]
        back = np.tanh(state[f"{part}.back.0.weight"] @ code + state[f"{part}.back.0.bias"])
        return code, state[f"{part}.back.2.weight"] @ back + state[f"{part}.back.2.bias"]

    side, side_again = through("side", film.title_text.numpy())
    literal = 0.0
    for x in film.features.numpy()[[1, 5]]:
        code, again = through("seen", x)
        literal += (0.5 * ((code - side) ** 2).sum() + ((again - x) ** 2).sum()) / 2
    literal += ((side_again - film.title_text.numpy()) ** 2).sum()
    near = [np.exp(-((through("seen", x)[0] - side) ** 2).sum()) for x in film.features.numpy()]
    literal -= contrast * np.log((near[1] + near[5]) / sum(near))
    assert float(network.loss(film).detach()) == pytest.approx(literal, rel=1e-9)


def test_dsse_finds_the_pictured_moments_and_its_codes_do_not_collapse() -> None:
    network, film = _network("dsse"), small_film()
    assert isinstance(network, DSSE)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(200):
        optimizer.zero_grad()
        network.loss(film).backward()
        optimizer.step()
    made = network.judge(film)
    assert set(made.moments.topk(2).indices.tolist()) == {1, 5}
    assert float(made.moments.max()) == 1.0
    assert float(network.seen(film.features)[0].detach().var(0).sum()) > 0.1


# the policy


def test_rewards_are_their_literal_forms() -> None:
    film = small_film()
    kept = torch.zeros(12, dtype=torch.bool)
    kept[[1, 4, 9]] = True
    x = film.features.numpy()
    rows = [x[i] / np.linalg.norm(x[i]) for i in (1, 4, 9)]
    pairs = [1 - rows[i] @ rows[j] for i in range(3) for j in range(3) if i != j]
    assert float(diversity(film.features, kept)) == pytest.approx(np.mean(pairs), rel=1e-9)
    near = [min(np.linalg.norm(row - x[i]) for i in (1, 4, 9)) for row in x]
    assert float(representativeness(film.features, kept)) == pytest.approx(np.exp(-np.mean(near)), rel=1e-9)
    shown = film.entities.numpy()
    covered = [any(shown[i, e] for i in (1, 4, 9)) for e in range(4) if shown[:, e].any()]
    assert float(coverage(film.entities, kept)) == pytest.approx(np.mean(covered))
    network = _network("policy", knowledge=0.5)
    assert isinstance(network, FilmPolicy)
    whole = np.mean(pairs) + np.exp(-np.mean(near)) + 0.5 * np.mean(covered)
    assert float(network.reward(film, kept)) == pytest.approx(whole, rel=1e-9)


def test_nothing_kept_and_nothing_asked_are_worth_nothing() -> None:
    film, nothing = small_film(), torch.zeros(12, dtype=torch.bool)
    assert float(diversity(film.features, nothing)) == float(representativeness(film.features, nothing)) == 0.0
    assert float(coverage(None, ~nothing)) == float(coverage(torch.zeros(12, 3), ~nothing)) == 0.0


def test_the_policys_loss_is_its_literal_form() -> None:
    network, film = _network("policy"), small_film()
    assert isinstance(network, FilmPolicy)
    logits = network(film)
    kept = network.draw(logits, torch.Generator().manual_seed(5))
    p = torch.sigmoid(logits).detach().numpy()
    rewards = [float(network.reward(film, some)) for some in kept]
    literal = 0.0
    for s, some in enumerate(kept.numpy()):
        baseline = (sum(rewards) - rewards[s]) / 3
        literal -= (rewards[s] - baseline) * np.log(np.where(some, p, 1 - p)).sum() / 4
    literal += network.spread * (p.mean() - 0.15) ** 2
    assert float(_loss(network, film).detach()) == pytest.approx(literal, rel=1e-9)


def test_the_policys_estimate_is_the_gradient_of_the_expected_reward() -> None:
    """Averaged over every pair of draws with its probability, exactly; four moments, 16 x 16 pairs."""
    network, film = _network("policy", draws=2), small_film(2)
    assert isinstance(network, FilmPolicy)
    network.zero_grad()
    _policy_objective(network, film).backward()
    true = network.score.weight.grad.clone()
    network.zero_grad()
    logits = network(film)
    p = torch.sigmoid(logits).detach()
    draws = torch.cartesian_prod(*[torch.tensor([False, True])] * 4)
    likely = [float(torch.where(kept, p, 1 - p).prod()) for kept in draws]
    expected = logits.new_zeros(())
    for one, chance in zip(draws, likely, strict=True):
        for two, other in zip(draws, likely, strict=True):
            expected = expected + chance * other * network.surrogate(film, logits, torch.stack([one, two]))
    expected.backward()
    assert torch.allclose(network.score.weight.grad, true, rtol=1e-8)


# what is refused


def test_what_cannot_be_a_film_is_refused() -> None:
    film = small_film()
    bad = torch.full((12, 7), float("nan"))
    for change, said in [
        ({"features": bad}, "features has values that are not finite"),
        ({"features": torch.zeros(12)}, "need a row for each moment"),
        ({"features": torch.zeros(0, 7)}, "need a row for each moment"),
        ({"concepts": film.concepts[:3]}, "3 rows of concepts for 12 moments"),
        ({"edges": torch.tensor([0, 5, 5, 12])}, "do not rise from 0 to 12"),
        ({"edges": torch.tensor([0, 13])}, "do not rise from 0 to 12"),
        ({"chosen": (1, 4, 9)}, "chosen names 9, and there are 6"),
        ({"chosen": (0, 1)}, "asked for, but is not among those chosen"),
        ({"pictured": (12,)}, "pictured names 12, and there are 12"),
        ({"query": torch.ones(4)}, "a query over 4 concepts, but 5 are known"),
        ({"query_text": torch.tensor([float("inf")])}, "query_text has values that are not finite"),
    ]:
        with pytest.raises(BadInput, match=said):
            replace(film, name="holiday.mp4", **change)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_film_that_does_not_fit_the_network_is_refused(name: str) -> None:
    network, film = _network(name), replace(small_film(), name="holiday.mp4")
    with pytest.raises(BadInput, match=r"holiday.mp4: features of 4 numbers; this .* was made for 7"):
        network.judge(replace(film, features=film.features[:, :4]))
    for field in network.NEEDS:
        gone = {field: None} | ({"query": None} if field == "concepts" else {})
        gone |= {"asked": None} if field == "chosen" else {}
        with pytest.raises(BadInput, match=r"holiday.mp4: .* needs"):
            _loss(network, replace(film, **gone))


def test_an_empty_query_and_words_of_another_length_are_refused() -> None:
    film = small_film()
    with pytest.raises(BadInput, match="the query is empty"):
        _network("shdpp").judge(replace(film, query=torch.zeros(5)))
    with pytest.raises(BadInput, match="the query_text is empty"):
        _network("query-memory").judge(replace(film, query_text=torch.zeros(3)))
    with pytest.raises(BadInput, match=r"a query of shape \(5,\); this QueryMemory was made for 3 numbers"):
        _network("query-memory").judge(replace(film, query_text=torch.ones(5)))
    with pytest.raises(BadInput, match=r"a title of shape \(5,\); this DSSE was made for 3 numbers"):
        _network("dsse").judge(replace(film, title_text=torch.ones(5)))
    with pytest.raises(BadInput, match="scores of 6 concepts; this SHDPP was made for 5"):
        _network("shdpp").judge(replace(film, concepts=torch.ones(12, 6), query=torch.ones(6)))
    with pytest.raises(BadInput, match="no pair to learn from"):
        _network("dsse").loss(replace(film, pictured=()))
    with pytest.raises(BadInput, match="need two draws"):
        _network("policy", draws=1)


# folders of weights


def _write(folder: Path, made: FilmNetwork, name: str, **changes: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = {"name": name, "network": made.settings} | changes
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocabulary.json").write_text(json.dumps({"concepts": ["dog", "river"]}), encoding="utf-8")
    save_file(made.state_dict(), folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_written_network_judges_as_before(name: str, tmp_path: Path) -> None:
    network, film = _network(name), small_film()
    loaded, concepts = load_film_network(_write(tmp_path, network, name), name)
    assert concepts == ("dog", "river") and loaded.settings == network.settings
    assert torch.equal(loaded.judge(film).moments, network.judge(film).moments)


def test_folders_that_hold_no_such_network_are_refused(tmp_path: Path) -> None:
    network = _network("seqdpp")
    with pytest.raises(BadInput, match="no trained model here; make one with: kgmm train skim DATA --method dsse"):
        load_film_network(tmp_path / "none", "dsse")
    folder = _write(tmp_path / "a", network, "seqdpp")
    with pytest.raises(BadInput, match="holds a trained seqdpp, not shdpp"):
        load_film_network(folder, "shdpp")
    for number, settings in enumerate(
        [{"in_dim": 10**9}, {"in_dim": -1}, [7], {"in_dim": 7, "colour": 3}, "x", {"in_dim": "7"}]
    ):
        with pytest.raises(KgmmError, match=r"kgmm train skim|settings of seqdpp"):
            load_film_network(_write(tmp_path / f"b{number}", network, "seqdpp", network=settings), "seqdpp")
    with pytest.raises(BadInput, match="weights do not fit the model"):
        load_film_network(_write(tmp_path / "c", network, "seqdpp", network={"in_dim": 9, "rank": 3}), "seqdpp")
    (folder / "model.safetensors").write_bytes(b"\x80\x04pickle" * 50)
    with pytest.raises(BadInput, match="not a safetensors file"):
        load_film_network(folder, "seqdpp")
    with pytest.raises(KgmmError, match="no network 'magic' for films; there are: dsse, policy"):
        film_network("magic", {})
