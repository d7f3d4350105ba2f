"""Inner loops of finding passages in machine code: words' scores, the walk, cosines, words that stand together."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import compiled


@compiled
def bm25(groups, words, weights, first, passage, often, length, k1, b, scores):
    """Add BM25 scores (with a positive idf) to *scores*; return how many passages have each group of words.

    Words are counted as one if they stand together: *groups* (n + 1,) tells where each begins among *words*.
    """
    count = len(length)
    total = 0.0
    for p in range(count):
        total += length[p]
    mean = max(total / max(count, 1), 1.0)
    times = np.zeros(count, np.float32)
    most = 0
    for i in range(len(groups) - 1):
        listed = 0
        for j in range(groups[i], groups[i + 1]):
            listed += first[words[j] + 1] - first[words[j]]
        most = max(most, listed)
    have = np.empty(most, np.int32)
    known = np.zeros(len(groups) - 1, np.int64)
    for i in range(len(groups) - 1):
        has = 0
        for j in range(groups[i], groups[i + 1]):
            for k in range(first[words[j]], first[words[j] + 1]):
                if times[passage[k]] == 0:
                    have[has] = passage[k]
                    has += 1
                times[passage[k]] += often[k]
        known[i] = has
        idf = np.log(1.0 + (count - has + 0.5) / (has + 0.5)) * weights[i] * (k1 + 1)
        for k in range(has):
            p = have[k]
            n = float(times[p])
            scores[p] += idf * n / (n + k1 * (1 - b + b * length[p] / mean))
            times[p] = 0
    return known


@compiled
def walk(texts, cues, to_entity, to_passage, stated, seeds, masses, tuning, steps, floor, scratch, mass, led):
    """Walk from seeds to passages and entities and back.

    *mass* (nodes,) and *led* (nodes,), zero before, tell how much came to each node and from which, plus one, most came at
    once; *scratch* are two more arrays of zeros. An entity leads to passages it is the own name of *owning* times as
    strongly as to all others together; a passage leads to entities, the more so where a cue stands near. *stated* are facts:
    entities that have some, ascending, where each one's begin, the facts' nodes, whether they are what is asked, what they weigh,
    and the entity each node leads to; nodes are passages, entities (those of the index, then others), facts.
    """
    start, token, opens = texts
    p_start, p_entity, p_at, p_length, p_kind = to_entity
    e_start, e_passage, e_own = to_passage
    f_entity, f_start, f_node, f_fits, f_sure, f_end = stated
    restart, owning, unknown, cued, near, back, widest, beside, telling = tuning
    count = len(p_start) - 1
    known = len(e_own)
    first_fact = len(mass) - len(f_end)
    nodes, amounts = seeds.copy(), masses.copy()
    coming, strongest = scratch
    for i in range(len(nodes)):
        strongest[nodes[i]] = amounts[i]
    for _ in range(steps):
        following = np.empty(len(mass) if len(mass) < 4096 else 4096, np.int64)
        new = 0
        for i in range(len(nodes)):
            node, amount = nodes[i], amounts[i]
            mass[node] += restart * amount
            give = (1 - restart) * amount
            if give < floor:
                continue
            if node < count:
                share = 0.5 * beside * give
                for side in (node - 1, node + 1):
                    if 0 <= side < count and not opens[max(node, side)]:
                        new, following = _give(side, node, share, coming, strongest, led, following, new)
                        give -= share
                low, high = p_start[node], p_start[node + 1]
                weight = np.empty(high - low)
                total = 0.0
                k = low
                while k < high:
                    e = p_entity[k]
                    j = k
                    hit = 0.0
                    while j < high and p_entity[j] == e and p_kind[j] == p_kind[k]:
                        if p_kind[k] == 0:
                            first = start[node] + p_at[j]
                            after = first + p_length[j]
                            for d in range(1, near + 1):
                                before, behind = first - d, after + d - 1
                                told = before >= start[node] and cues[token[before]]
                                if told or (behind < start[node + 1] and cues[token[behind]]):
                                    hit = max(hit, 1.0 - (d - 1) / near)
                                    break
                        weight[j - low] = 0.0
                        j += 1
                    w = back if p_kind[k] else (1.0 if e_own[e] else unknown) * (1.0 + cued * hit)
                    weight[k - low] = w
                    total += w
                    k = j
                if total == 0.0:
                    continue
                for k in range(low, high):
                    if weight[k - low] > 0.0:
                        new, following = _give(
                            count + p_entity[k],
                            node,
                            give * weight[k - low] / total,
                            coming,
                            strongest,
                            led,
                            following,
                            new,
                        )
            elif node >= first_fact:
                end = count + f_end[node - first_fact]
                new, following = _give(end, node, give, coming, strongest, led, following, new)
            else:
                e = node - count
                low = high = np.int64(0)
                own = others = np.int64(0)
                if e < known:
                    low, high = e_start[e], e_start[e + 1]
                    own = np.int64(e_own[e])
                    others = high - low - own
                total = owning * min(own, 1) + (1.0 if 0 < others <= widest else 0.0)
                at = np.searchsorted(f_entity, e)
                if at < len(f_entity) and f_entity[at] == e:
                    most = every = 0.0
                    for k in range(f_start[at], f_start[at + 1]):
                        most = max(most, f_sure[k])
                        every += f_sure[k] * (1.0 + cued * f_fits[k])
                    total += telling * most
                    for k in range(f_start[at], f_start[at + 1]):
                        w = telling * most * f_sure[k] * (1.0 + cued * f_fits[k]) / every
                        fact = first_fact + f_node[k]
                        new, following = _give(fact, node, give * w / total, coming, strongest, led, following, new)
                if total == 0.0:
                    continue
                for k in range(low, high):
                    if k - low < own:
                        w = owning / own
                    elif others <= widest:
                        w = 1.0 / others
                    else:
                        break
                    new, following = _give(
                        np.int64(e_passage[k]), node, give * w / total, coming, strongest, led, following, new
                    )
        nodes = np.sort(following[:new])
        amounts = np.empty(new)
        for i in range(new):
            amounts[i] = coming[nodes[i]]
            coming[nodes[i]] = 0.0
        if new == 0:
            break
    for i in range(len(nodes)):
        mass[nodes[i]] += restart * amounts[i]


@compiled
def _give(node, source, amount, coming, strongest, led, following, new):
    if coming[node] == 0.0:
        if new == len(following):
            longer = np.empty(2 * new, np.int64)
            longer[:new] = following
            following = longer
        following[new] = node
        new += 1
    coming[node] += amount
    if amount > strongest[node]:
        strongest[node] = amount
        led[node] = source + 1
    return new, following


@compiled
def cosines(vectors, asked):
    """Return the cosines of rows of whole numbers with one, (n,)."""
    count, dim = vectors.shape
    out = np.empty(count)
    own = np.int32(0)
    for d in range(dim):
        own += np.int32(asked[d]) * np.int32(asked[d])
    for i in range(count):
        both = np.int32(0)
        square = np.int32(0)
        for d in range(dim):
            v = np.int32(vectors[i, d])
            both += v * np.int32(asked[d])
            square += v * v
        out[i] = both / np.sqrt(float(max(square, 1)) * float(max(own, 1)))
    return out


@compiled
def together(start, token, slot, term_of, idf, passages, width):
    """Return, a passage, the most that terms of the question weigh within *width* of its tokens, each counted once, (n,)."""
    out = np.zeros(len(passages))
    held = np.zeros(len(idf), np.int32)
    for i in range(len(passages)):
        low, high = start[passages[i]], start[passages[i] + 1]
        held[:] = 0
        now = 0.0
        for k in range(low, high):
            t = term_of[token[k]]
            if t >= 0 and slot[t] >= 0:
                if held[slot[t]] == 0:
                    now += idf[slot[t]]
                held[slot[t]] += 1
                out[i] = max(out[i], now)
            if k - width >= low:
                t = term_of[token[k - width]]
                if t >= 0 and slot[t] >= 0:
                    held[slot[t]] -= 1
                    if held[slot[t]] == 0:
                        now -= idf[slot[t]]
    return out
