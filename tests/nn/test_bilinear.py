"""Every affordable fusion against the tensor or outer product it stands for."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kgmm.nn.bilinear import MCB, MFB, MLB, MUTAN, FullBilinear, power_normalize

Q, V = 6, 5


@pytest.fixture
def pair():
    torch.manual_seed(0)
    return torch.randn(3, Q), torch.randn(3, V)


def _contract(tensor, q, v):
    return torch.einsum("oij,bi,bj->bo", tensor, q, v)


def test_full_bilinear_contracts_its_tensor(pair):
    layer = FullBilinear(Q, V, 4)
    assert torch.allclose(layer(*pair), _contract(layer.tensor.weight, *pair) + layer.tensor.bias, atol=1e-5)


def test_mcb_is_the_sketch_of_the_outer_product(pair):
    layer = MCB(Q, V, 16)
    expected = torch.zeros(3, 16)
    for b in range(3):
        outer = torch.outer(pair[0][b], pair[1][b])
        for i in range(Q):
            for j in range(V):
                place = (layer.hash_q[i] + layer.hash_v[j]) % 16
                expected[b, place] += layer.sign_q[i] * layer.sign_v[j] * outer[i, j]
    assert torch.allclose(layer.raw(*pair), expected, atol=1e-5)


def test_mcb_keeps_inner_products_of_outer_products():
    torch.manual_seed(1)
    layer = MCB(64, 64, 16_000)
    q, v = torch.randn(2, 64), torch.randn(2, 64)
    q[1], v[1] = q[0] + 0.3 * q[1], v[0] + 0.3 * v[1]
    sketch = layer.raw(q, v)
    exact = (q[0] @ q[1]) * (v[0] @ v[1])
    assert (sketch[0] @ sketch[1] / exact - 1).abs() < 0.1


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors made under it and still alive, and the most there were at once."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.known = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, torch.Tensor):
                self._note(tensor.untyped_storage())
        return out

    def _note(self, storage):
        key = storage._cdata
        if key not in self.known:
            self.known.add(key)
            self.now += storage.nbytes()
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._gone, key, storage.nbytes())

    def _gone(self, key, size):
        self.known.discard(key)
        self.now -= size


def test_live_bytes_are_counted_and_given_back():
    with LiveBytes() as live:
        a = torch.ones(1000)
        b = a + 1
        del a
        c = b.view(10, 100) * 2
    assert live.most >= 8000 and c.sum() == 4000


def test_mcb_needs_a_fiftieth_of_the_outer_products_memory():
    """Both give the same sketch of 2048 x 2048 products; measured, not reckoned."""
    layer = MCB(2048, 2048, 16_000)
    q, v = torch.randn(2, 2048), torch.randn(2, 2048)
    place = (layer.hash_q.unsqueeze(1) + layer.hash_v.unsqueeze(0)).flatten() % 16_000
    sign = torch.outer(layer.sign_q, layer.sign_v).flatten()
    with torch.no_grad():
        with LiveBytes() as literal:
            outer = torch.einsum("bi,bj->bij", q, v).flatten(1).mul_(sign)
            expected = torch.zeros(2, 16_000).index_add_(1, place, outer)
        with LiveBytes() as compact:
            found = layer.raw(q, v)
    assert torch.allclose(found, expected, atol=2e-3)
    assert literal.most > 50 * compact.most, (literal.most, compact.most)


def test_mlb_without_tanh_is_a_low_rank_tensor(pair):
    layer = MLB(Q, V, 4, rank=7, activate=False)
    tensor = torch.einsum("or,ri,rj->oij", layer.out.weight, layer.q.weight, layer.v.weight)
    assert torch.allclose(layer(*pair), _contract(tensor, *pair) + layer.out.bias, atol=1e-5)


def test_mlb_squashes_both_sides(pair):
    layer = MLB(Q, V, 4, rank=7)
    joint = torch.tanh(pair[0] @ layer.q.weight.T) * torch.tanh(pair[1] @ layer.v.weight.T)
    assert torch.allclose(layer(*pair), layer.out(joint), atol=1e-6)


def test_mfb_pools_its_factors(pair):
    layer = MFB(Q, V, 4, factors=3).eval()
    q, v = layer.q(pair[0]), layer.v(pair[1])
    z = torch.stack([sum(q[:, o * 3 + k] * v[:, o * 3 + k] for k in range(3)) for o in range(4)], 1)
    assert torch.allclose(layer(*pair), power_normalize(z), atol=1e-6)
    assert torch.allclose(layer(*pair).norm(dim=-1), torch.ones(3), atol=1e-5)


def test_mutan_without_tanh_is_a_tucker_tensor(pair):
    layer = MUTAN(Q, V, 4, hidden=5, core=3, rank=2, activate=False)
    layer.q.bias.data.zero_(), layer.v.bias.data.zero_()
    core = torch.zeros(3, 5, 5)
    for r in range(2):
        m, n = layer.m.weight[r * 3 : r * 3 + 3], layer.n.weight[r * 3 : r * 3 + 3]
        core += torch.einsum("ci,cj->cij", m, n)
    tensor = torch.einsum("oc,cab,ai,bj->oij", layer.out.weight, core, layer.q.weight, layer.v.weight)
    assert torch.allclose(layer(*pair), _contract(tensor, *pair) + layer.out.bias, atol=1e-5)
