"""What a classifier is made of. A description knows no library: each build translates it layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Embedding:
    """Ids [batch, length] to vectors [batch, length, size]; id 0 is padding and masked."""

    vocabulary: int
    size: int


@dataclass(frozen=True)
class TokenDropout:
    """Takes real tokens for unknown ones (word dropout; Iyyer et al., ACL 2015): ids [batch, length] to the same."""

    rate: float


@dataclass(frozen=True)
class SpatialDropout:
    """Leaves out whole embedding dimensions, the same at every position (Tompson et al., CVPR 2015)."""

    rate: float


@dataclass(frozen=True)
class Dropout:
    """Leaves out single values (Srivastava et al., JMLR 2014)."""

    rate: float


@dataclass(frozen=True)
class BidirectionalGRU:
    """Gated recurrent units (Cho et al., EMNLP 2014) in both directions: [batch, length, 2 × units]."""

    units: int


@dataclass(frozen=True)
class MaxMeanPool:
    """Maximum and mean over the real positions, side by side: [batch, length, n] → [batch, 2 n]."""


@dataclass(frozen=True)
class Dense:
    """Fully connected: [batch, n] → [batch, units]."""

    units: int
    activation: Literal["relu", "softmax"]


Layer = Embedding | TokenDropout | SpatialDropout | Dropout | BidirectionalGRU | MaxMeanPool | Dense
