"""Metrics of a classifier from its confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def summarize(confusion: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro-F1, and precision, recall, F1 and support of each label.

    `confusion` is int64 [labels, labels], rows the true and columns the predicted label. As in scikit-learn with
    zero_division=0, what is undefined counts 0, and the macro average is over labels that occur, true or predicted.
    """
    right, true, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = _share(right, predicted), _share(right, true)
    f1 = _share(2 * right, true + predicted)
    occurs = (true + predicted) > 0
    rows = int(true.sum())
    return {
        "rows": rows,
        "accuracy": float(right.sum() / rows) if rows else 0.0,
        "macro_f1": float(f1[occurs].mean()) if occurs.any() else 0.0,
        "labels": list(labels),
        "per_class": [
            {"label": label, "precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
            for label, p, r, f, n in zip(labels, precision, recall, f1, true, strict=True)
        ],
        "confusion": confusion.tolist(),
    }


def confusion(true: np.ndarray, predicted: np.ndarray, labels: int) -> np.ndarray:
    """The confusion matrix of label numbers [rows]."""
    return np.bincount(true * labels + predicted, minlength=labels * labels).reshape(labels, labels)


def interval(share: float, rows: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a `share` measured on `rows` rows (Wilson 1927, J. Am. Stat. Assoc. 22); 0 to 1 on none.

    Reports, the board and the command line all show this one.
    """
    if rows == 0:
        return (0.0, 1.0)
    middle = share + z * z / (2 * rows)
    spread = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    return (max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
