"""gensim's Word2Vec over a file of rows, tokens separated by blanks; prints its seconds as JSON.

A process of its own: gensim may live in another environment than textmill.
"""

from __future__ import annotations

import argparse
import json
import time

from gensim.models import Word2Vec
from gensim.models.word2vec import FAST_VERSION


def main() -> None:
    """Train once, vocabulary included."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    for name in ("size", "window", "epochs", "negative", "min-count", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    started = time.perf_counter()
    model = Word2Vec(
        corpus_file=given.file,
        vector_size=given.size,
        window=given.window,
        epochs=given.epochs,
        negative=given.negative,
        min_count=given.min_count,
        workers=given.threads,
        sg=1,
        sample=1e-3,
        seed=7,
    )
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "tokens": len(model.wv), "compiled": FAST_VERSION >= 0}))


if __name__ == "__main__":
    main()
