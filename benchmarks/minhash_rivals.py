"""MinHash deduplication by datatrove (four stages, 2 workers) and by datasketch (one core), on the same shingles."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

NGRAM, BUCKETS, HASHES = 3, 14, 8


def datatrove(inputs: Path, scratch: Path) -> tuple[float, int]:
    """Seconds and rows kept of datatrove's pipeline over the JSON lines in `inputs`, with its default signature."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    logging.disable(logging.CRITICAL)
    config = MinhashConfig(n_grams=NGRAM, num_buckets=BUCKETS, hashes_per_bucket=HASHES)
    folders = {name: str(scratch / name) for name in ("signatures", "buckets", "clusters", "kept")}
    tasks = len(list(inputs.iterdir()))
    stages: list[tuple[list[Any], int]] = [
        ([JsonlReader(str(inputs)), _signature()(folders["signatures"], config=config)], tasks),
        ([MinhashDedupBuckets(folders["signatures"], folders["buckets"], config=config)], BUCKETS),
        ([MinhashDedupCluster(folders["buckets"], folders["clusters"], config=config)], 1),
        ([JsonlReader(str(inputs)), MinhashDedupFilter(folders["clusters"]), JsonlWriter(folders["kept"], compression=None)],
         tasks),
    ]  # fmt: skip
    started = time.perf_counter()
    for number, (pipeline, count) in enumerate(stages):
        logs = str(scratch / f"logs{number}")
        LocalPipelineExecutor(pipeline, tasks=count, workers=min(2, count), logging_dir=logs).run()
    seconds = time.perf_counter() - started
    kept = sum(1 for file in Path(folders["kept"]).iterdir() for _ in file.open("rb"))
    return seconds, kept


def _signature() -> type:
    from datatrove.pipeline.dedup import MinhashDedupSignature

    class CharacterSignature(MinhashDedupSignature):  # type: ignore[misc]
        """datatrove's first stage on character n-grams instead of words: the same sets as the others compare."""

        def get_shingles(self, text: str) -> np.ndarray:
            """Hashes, uint64 [n, 1]."""
            grams = {text[i : i + NGRAM] for i in range(max(1, len(text) - NGRAM + 1))}
            return np.fromiter((self._hash_func(gram.encode()) for gram in grams), dtype=np.uint64).reshape((-1, 1))

    return CharacterSignature


def datasketch(texts: Sequence[str], threshold: float) -> float:
    """Seconds to sign, look up and insert every text on one core."""
    from datasketch import MinHash, MinHashLSH

    started = time.perf_counter()
    index = MinHashLSH(threshold=threshold, num_perm=128)
    for number, text in enumerate(texts):
        signature = MinHash(num_perm=128)
        signature.update_batch([text[i : i + NGRAM].encode() for i in range(max(1, len(text) - NGRAM + 1))])
        if not index.query(signature):
            index.insert(number, signature)
    return time.perf_counter() - started
