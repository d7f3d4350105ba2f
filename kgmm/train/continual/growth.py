"""New classes, words and entities: rows added to what is trained, while the rows that were there keep their bits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kgmm.errors import KgmmError


def grown_rows(rows: Tensor, count: int, seed: int = 0) -> Tensor:
    """Return a table of *count* rows: those given, bit by bit, then new ones.

    A new row is uniform in ±1/√width as those of a linear layer are, and follows from *seed* and its number alone: a table
    grown by one and one is the same as one grown by two.

    Raises:
        KgmmError: if there are more rows already.

    Example:
        >>> old = torch.ones(2, 3)
        >>> new = grown_rows(old, 4)
        >>> tuple(new.shape), torch.equal(new[:2], old)
        ((4, 3), True)
    """
    if count < len(rows):
        raise KgmmError(f"{len(rows)} rows cannot grow to {count}; none is taken away")
    bound = max(rows.shape[1:].numel(), 1) ** -0.5 if rows.dim() > 1 else 0.0
    fresh = []
    for number in range(len(rows), count):
        random = torch.Generator().manual_seed((seed * 1_000_003 + number) % (1 << 63))
        fresh.append((torch.rand(rows.shape[1:], generator=random) * 2 - 1) * bound)
    if not fresh:
        return rows.detach().clone()
    return torch.cat([rows.detach(), torch.stack(fresh).to(rows)])


def grow_linear(layer: nn.Linear, count: int, seed: int = 0) -> nn.Linear:
    """Return a layer with *count* outputs; the outputs that were there stay as they are, new biases are 0.

    >>> layer = nn.Linear(4, 2)
    >>> torch.equal(grow_linear(layer, 5).weight[:2], layer.weight)
    True
    """
    with torch.random.fork_rng([]):  # what its own start draws is replaced
        grown = nn.Linear(layer.in_features, count, bias=layer.bias is not None)
    grown.weight = nn.Parameter(grown_rows(layer.weight, count, seed))
    if layer.bias is not None:
        grown.bias = nn.Parameter(grown_rows(layer.bias, count, seed))
    return grown


def grow_embedding(table: nn.Embedding, count: int, seed: int = 0, frozen: bool = False) -> nn.Embedding:
    """Return a table of *count* entities or words, the old rows unmoved; if *frozen* no gradient reaches those.

    >>> table = nn.Embedding(3, 2)
    >>> grown = grow_embedding(table, 4, frozen=True)
    >>> grown(torch.arange(4)).sum().backward()
    >>> grown.weight.grad.sum(1).tolist()
    [0.0, 0.0, 0.0, 2.0]
    """
    grown = nn.Embedding(count, table.embedding_dim, _weight=grown_rows(table.weight, count, seed))
    if frozen:
        keep = torch.arange(count) < table.num_embeddings
        hook = grown.weight.register_hook
        hook(lambda gradient: gradient.masked_fill(keep.to(gradient.device)[:, None], 0.0))  # type: ignore[no-untyped-call]
    return grown
