"""All pairs of similar sets, exactly: the truth that approximate searches are measured by."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

Pair = tuple[int, int]


def shingles(text: str, n: int) -> frozenset[str]:
    """Character n-grams; a shorter text is one itself."""
    return frozenset(text[i : i + n] for i in range(max(1, len(text) - n + 1)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Size of the intersection by size of the union."""
    both = len(a & b)
    return both / (len(a) + len(b) - both)


def similar_pairs(texts: Sequence[str], n: int, threshold: float) -> set[Pair]:
    """Numbers (i < j) of texts with a Jaccard similarity of `threshold` or more.

    Exact by prefix filtering (Chaudhuri et al., ICDE 2006; Bayardo et al., WWW 2007): with the elements of all sets in
    one order, two similar sets have one in common among the first |x| - ceil(threshold |x|) + 1 of each.
    """
    sets = [shingles(text, n) for text in texts]
    counts = Counter(gram for grams in sets for gram in grams)
    index: dict[str, list[int]] = defaultdict(list)
    found: set[Pair] = set()
    for number, grams in enumerate(sets):
        size = len(grams)
        rarest = sorted(grams, key=lambda gram: (counts[gram], gram))
        prefix = rarest[: size - math.ceil(threshold * size - 1e-9) + 1]
        for other in {other for gram in prefix for other in index[gram]}:
            shorter, longer = sorted((size, len(sets[other])))
            if shorter >= threshold * longer and jaccard(grams, sets[other]) >= threshold:
                found.add((other, number))
        for gram in prefix:
            index[gram].append(number)
    return found
