"""Inner loops of indexing passages in machine code: postings, known names in texts, edges."""

# mypy: ignore-errors
import numpy as np

from kgmm.compiled import compiled

STOP, DIGITS, COMMON = 1, 2, 4
CAPITAL, BEGINS, TITLE = 1, 2, 4
NO = np.int32(-1)


@compiled
def mix(key, word):
    """Return the key of a name with one more word (splitmix64's mixing)."""
    key = (key ^ word) + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


@compiled
def slots(keys):
    """Return a hash table of distinct keys: their places, -1 where there is none."""
    size = 16
    while size < 2 * len(keys):
        size *= 2
    table = np.full(size, NO)
    for at in range(len(keys)):
        place = np.int64(keys[at] & np.uint64(size - 1))
        while table[place] >= 0:
            place = (place + 1) & (size - 1)
        table[place] = at
    return table


@compiled
def place(table, keys, key):
    """Return a key's place, -1 if it is not there."""
    size = len(table)
    at = np.int64(key & np.uint64(size - 1))
    while table[at] >= 0:
        if keys[table[at]] == key:
            return table[at]
        at = (at + 1) & (size - 1)
    return NO


@compiled
def gathered(start, items, rows, new):
    """Return the items of some rows, which begin at *new*."""
    out = np.empty(new[-1], items.dtype)
    for i in range(len(rows)):
        low = start[rows[i]]
        for k in range(new[i + 1] - new[i]):
            out[new[i] + k] = items[low + k]
    return out


@compiled
def postings(rows, start, token, kind):
    """Return where each word's passages begin, these with how often they have it, and the passages' lengths.

    Only some passages, ascending, are looked at; the lengths of the others are 0.
    """
    terms = len(kind)
    length = np.zeros(len(start) - 1, np.int32)
    first = np.zeros(terms + 1, np.int64)
    seen = np.full(terms, NO)
    for p in rows:
        for k in range(start[p], start[p + 1]):
            t = token[k]
            if not kind[t] & STOP:
                length[p] += 1
                if seen[t] != p:
                    seen[t] = p
                    first[t + 1] += 1
    for t in range(terms):
        first[t + 1] += first[t]
    at = first[:-1].copy()
    passage = np.empty(first[-1], np.int32)
    often = np.zeros(first[-1], np.uint8)
    seen[:] = NO
    for p in rows:
        for k in range(start[p], start[p + 1]):
            t = token[k]
            if not kind[t] & STOP:
                if seen[t] != p:
                    seen[t] = p
                    passage[at[t]] = p
                    at[t] += 1
                if often[at[t] - 1] < 255:
                    often[at[t] - 1] += 1
    return first, passage, often, length


@compiled
def merged_postings(first, passage, often, word, row, more, more_passage, more_often):
    """Return postings with those of other passages; *word* and *row* tell where words and passages are now, -1 for gone."""
    terms = len(more) - 1
    start = np.zeros(terms + 1, np.int64)
    for w in range(len(word)):
        if word[w] >= 0:
            for k in range(first[w], first[w + 1]):
                start[word[w] + 1] += row[passage[k]] >= 0
    for t in range(terms):
        start[t + 1] += start[t] + more[t + 1] - more[t]
    out, out_often = np.empty(start[-1], np.int32), np.empty(start[-1], np.uint8)
    filled = np.zeros(terms, np.bool_)
    for w in range(len(word)):
        t = word[w]
        if t < 0:
            continue
        filled[t] = True
        at, j = start[t], more[t]
        for k in range(first[w], first[w + 1]):
            p = row[passage[k]]
            if p < 0:
                continue
            while j < more[t + 1] and more_passage[j] < p:
                out[at], out_often[at] = more_passage[j], more_often[j]
                at += 1
                j += 1
            out[at], out_often[at] = p, often[k]
            at += 1
        while j < more[t + 1]:
            out[at], out_often[at] = more_passage[j], more_often[j]
            at += 1
            j += 1
    for t in range(terms):
        if not filled[t]:
            for j in range(more[t + 1] - more[t]):
                out[start[t] + j], out_often[start[t] + j] = more_passage[more[t] + j], more_often[more[t] + j]
    return start, out, out_often


@compiled
def having(start, token, wanted):
    """Tell which passages have one of some words."""
    out = np.zeros(len(start) - 1, np.bool_)
    for p in range(len(out)):
        for k in range(start[p], start[p + 1]):
            if wanted[token[k]]:
                out[p] = True
                break
    return out


@compiled
def named(rows, start, token, how, kind, word, lengths, keys, table):
    """Find known names in some passages, the longest at each place.

    *lengths* tells by bits how many words names have that begin with a word. Returned are how many each passage has, at
    which of its tokens, which they are and in how many words.
    """
    found = np.zeros(len(rows), np.int64)
    most = 0
    for p in rows:
        most += start[p + 1] - start[p]
    out_at, out_name = np.empty(most, np.int32), np.empty(most, np.int32)
    out_length = np.empty(most, np.uint8)
    total = 0
    for i in range(len(rows)):
        p = rows[i]
        plain = True
        for k in range(start[p], start[p + 1]):
            if how[k] & CAPITAL and not how[k] & TITLE:
                plain = False
                break
        k = start[p]
        while k < start[p + 1]:
            bits = lengths[token[k]]
            small = not plain and not how[k] & CAPITAL and not kind[token[k]] & DIGITS
            if bits == 0 or small:
                k += 1
                continue
            key = np.uint64(0)
            best, best_length = NO, 0
            upper = content = 0
            n = 0
            while bits >> np.uint16(n) and k + n < start[p + 1]:
                at = k + n
                if n and (how[at] & TITLE) != (how[k] & TITLE):
                    break
                key = mix(key, word[token[at]])
                if not kind[token[at]] & (STOP | DIGITS):
                    content += 1
                    upper += how[at] & CAPITAL
                n += 1
                if not (bits >> np.uint16(n - 1)) & np.uint16(1):
                    continue
                written = plain or 2 * upper > content or content == 0
                if n == 1 and not plain:
                    written = how[k] & CAPITAL and not (how[k] & BEGINS and kind[token[k]] & COMMON)
                    written = written and not kind[token[k]] & DIGITS
                if written:
                    which = place(table, keys, key if key else np.uint64(1))
                    if which >= 0:
                        best, best_length = which, n
            if best >= 0:
                out_at[total] = k - start[p]
                out_name[total] = best
                out_length[total] = best_length
                total += 1
                found[i] += 1
                k += best_length
            else:
                k += 1
    return found, out_at[:total].copy(), out_name[:total].copy(), out_length[:total].copy()


@compiled
def _in_longer(place, first, last, rule_at, rule_length):
    """Tell whether a word is part of a longer name that a rule finds."""
    inside = False
    for k in range(first, last):
        inside |= rule_length[k] > 1 and rule_at[k] <= place < rule_at[k] + rule_length[k]
    return inside


@compiled
def edges(rows, own, found, found_at, found_entity, found_length, rule, rule_at, rule_entity, rule_length):
    """Return, of some passages, the entities each names, in order, each place once: its own (1, 2, 3) and others (0)."""
    count = len(rows)
    most = 3 * count + len(found_at)
    for p in rows:
        most += rule[p + 1] - rule[p]
    start = np.zeros(count + 1, np.int64)
    entity, at = np.empty(most, np.int32), np.empty(most, np.int32)
    length, kind = np.empty(most, np.uint8), np.empty(most, np.uint8)
    total, f = 0, 0
    for i in range(count):
        p = rows[i]
        low = total
        for which in range(3):
            e = own[p, which]
            if e < 0 or (which == 1 and e == own[p, 0]):
                continue
            entity[total], at[total], length[total], kind[total] = e, 0, 0, which + 1
            total += 1
        mine = total
        for part in range(2):
            first, last = (f, f + found[i]) if part == 0 else (rule[p], rule[p + 1])
            for k in range(first, last):
                e = found_entity[k] if part == 0 else rule_entity[k]
                place = found_at[k] if part == 0 else rule_at[k]
                words = found_length[k] if part == 0 else rule_length[k]
                if e == own[p, 0] or e == own[p, 1] or e == own[p, 2]:
                    continue
                if part == 0 and words == 1 and _in_longer(place, rule[p], rule[p + 1], rule_at, rule_length):
                    continue
                slot = total  # kept in the order of entity and place
                while slot > mine and (entity[slot - 1] > e or (entity[slot - 1] == e and at[slot - 1] > place)):
                    slot -= 1
                if slot > mine and entity[slot - 1] == e and at[slot - 1] == place:
                    continue
                for j in range(total, slot, -1):
                    entity[j], at[j], length[j], kind[j] = entity[j - 1], at[j - 1], length[j - 1], kind[j - 1]
                entity[slot], at[slot], length[slot], kind[slot] = e, place, words, 0
                total += 1
        f += found[i]
        start[i] = low
    start[count] = total
    return start, entity[:total].copy(), at[:total].copy(), length[:total].copy(), kind[:total].copy()


@compiled
def reversed_edges(start, entity, kind, entities):
    """Return, an entity, the passages that name it, each once: those it is the own name of first."""
    first = np.zeros(entities + 1, np.int64)
    for p in range(len(start) - 1):
        last = NO
        for k in range(start[p], start[p + 1]):
            if kind[k] or entity[k] != last:
                first[entity[k] + 1] += 1
            last = entity[k]
    for e in range(entities):
        first[e + 1] += first[e]
    at = first[:-1].copy()
    passage = np.empty(first[-1], np.int32)
    own = np.zeros(entities, np.int32)
    for turn in range(2):
        for p in range(len(start) - 1):
            last = NO
            for k in range(start[p], start[p + 1]):
                e = entity[k]
                if (turn == 0 and kind[k]) or (turn == 1 and not kind[k] and e != last):
                    passage[at[e]] = p
                    at[e] += 1
                    own[e] += turn == 0
                last = e
    return first, passage, own
