"""16-bit arithmetic where a GPU has it, and a run whose process dies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from kgmm.nn.vqa import JOINS
from kgmm.train.shapes import ShapesProblem, parts


@pytest.fixture(scope="module")
def split():
    return parts("clevr", small=True)


@pytest.mark.parametrize("name", ["modules", *sorted(JOINS)])
def test_networks_of_shapes_train_in_16_bits(name, split):
    """The GPU path's arithmetic, on the CPU: bfloat16 under autocast, finite losses and gradients near single precision's."""
    losses = {}
    for mixed in (False, True):
        problem = ShapesProblem(name, "clevr", dim=16, split=split)
        problem.model.eval()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = problem.loss(torch.arange(32))
        loss.backward()
        losses[mixed] = loss.item()
        grads = [p.grad for p in problem.model.parameters() if p.grad is not None]
        assert grads and all(torch.isfinite(g).all() and g.dtype == torch.float32 for g in grads)
    assert losses[True] == pytest.approx(losses[False], rel=0.05)


def _lstm_in_16_bits() -> bool:
    """Tell whether this processor's library has an LSTM in bfloat16; older ones have none."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            torch.nn.LSTM(4, 4, batch_first=True)(torch.randn(2, 3, 4))
    except RuntimeError:
        return False
    return True


@pytest.mark.skipif(not _lstm_in_16_bits(), reason="no LSTM in bfloat16 on this processor")
@pytest.mark.parametrize("context", ["sum", "gru"])
def test_kdmn_trains_in_16_bits(context):
    from kgmm.nn.kdmn import KDMN, FactBatch
    from kgmm.train.kdmn import pointer_loss

    torch.manual_seed(0)
    batch = FactBatch(
        torch.randn(4, 6),
        torch.randn(4, 2, 5),
        torch.ones(4, 2, dtype=torch.bool),
        torch.randn(4, 3, 3, 5),
        torch.randn(4, 3, 6),
        torch.randn(4, 3, 2),
        torch.randn(4, 3, 2, 3),
        torch.ones(4, 3, dtype=torch.bool),
    )
    net = KDMN(words=5, sentence=6, features=2, end_features=3, dim=8, product=4, context=context).eval()
    answers, gold = torch.zeros(4, 3, 2), torch.zeros(4, 3)
    answers[:, 1, 0] = gold[:, 1] = 1
    exact = pointer_loss(net, batch, answers, gold)
    with torch.autocast("cpu", torch.bfloat16):
        loss = pointer_loss(net, batch, answers, gold)
    loss.backward()
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(exact.item(), rel=0.05)
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def test_an_interrupted_command_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-c", "from kgmm.cli import main; main()", "train", "san", "clevr", "--small"]
    run = subprocess.Popen(
        [*command, "--epochs", "90", "--patience", "90", "--out", str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    while run.poll() is None and not (tmp_path / "checkpoint.safetensors").exists():
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    said = run.communicate()[1]
    assert run.returncode == 130 and "Traceback" not in said
    assert f"interrupted; the same command goes on from the last full epoch in {tmp_path}" in said


def test_a_killed_command_given_again_ends_with_the_same_weights(tmp_path, shell):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    words = ("train", "conventional", "clevr", "--small", "--epochs", "6", "--json", "--out")
    assert shell(*words, whole).code == 0
    command = [sys.executable, "-c", "from kgmm.cli import main; main()", *words, str(cut)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and not (cut / "checkpoint.safetensors").exists():
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert run.returncode == -signal.SIGKILL and (cut / "checkpoint.safetensors").exists()
    again = shell(*words, cut)
    assert again.code == 0, again.err
    a, b = (load_file(folder / "model.safetensors") for folder in (whole, cut))
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
    epochs = [json.loads(line)["epoch"] for line in (cut / "metrics.jsonl").read_text().splitlines()]
    assert epochs == list(range(1, 7))
