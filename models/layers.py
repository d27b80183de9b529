"""What a classifier is made of. A description knows no library: each build translates it layer by layer.

Padding is on the right, and its positions are left out by every layer: an embedding gives zeros there, a convolution too,
a recurrent layer keeps its state, a pool does not look at them. Of a row without any real id every pool gives zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MULTIPLIER, PRIME = 116_049_371, 2**31 - 1
"""Of the hash of n-grams; the multiplier is fastText's."""

Activation = Literal["linear", "relu", "tanh", "softmax"]
"""softmax stands in the last layer alone, and builds for training leave it to the loss."""


@dataclass(frozen=True)
class Embedding:
    """Ids [batch, length] to vectors [batch, length, size]; id 0 is padding and masked."""

    vocabulary: int
    size: int
    trainable: bool = True
    """False: the vectors stay what they start from."""


@dataclass(frozen=True)
class TokenDropout:
    """Takes real tokens for unknown ones (word dropout; Iyyer et al., ACL 2015): ids [batch, length] to the same."""

    rate: float


@dataclass(frozen=True)
class HashedNgrams:
    """Ids of tokens and of their n-grams (Joulin et al., EACL 2017): [batch, length] → [batch, highest · length].

    The tokens' own ids come first, then the bigrams that start at each position, then the trigrams …, 0 where one would
    reach beyond the row's real tokens. The id of an n-gram t1 … tn is vocabulary + (h mod buckets), where h is t1 and then
    for each further token (h · MULTIPLIER + t) mod PRIME (Karp and Rabin 1987), which never overflows 64 bits.
    """

    vocabulary: int
    buckets: int
    highest: int
    """Tokens in the longest n-gram; 1: the tokens alone."""

    @property
    def ids(self) -> int:
        """How many ids there are after it: what the embedding that follows has to hold."""
        return self.vocabulary + (self.buckets if self.highest > 1 else 0)


@dataclass(frozen=True)
class SpatialDropout:
    """Leaves out whole embedding dimensions, the same at every position (Tompson et al., CVPR 2015)."""

    rate: float


@dataclass(frozen=True)
class Dropout:
    """Leaves out single values (Srivastava et al., JMLR 2014)."""

    rate: float


@dataclass(frozen=True)
class Conv1D:
    """Convolution over `width` positions, the row zero-padded to keep its length: [batch, length, n] → [.., filters].

    Of an even width one more position lies to the right than to the left.
    """

    filters: int
    width: int
    activation: Literal["linear", "relu"] = "relu"


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation (Ioffe and Szegedy, ICML 2015) of [batch, n], with ε = 0.001 and moving statistics.

    Rows without a real id are no part of a batch's mean and variance (the biased one).
    """

    momentum: float = 0.9


@dataclass(frozen=True)
class Activate:
    """An activation by itself, where normalisation comes before it."""

    activation: Literal["relu", "tanh"] = "relu"


@dataclass(frozen=True)
class LSTM:
    """Long short-term memory (Hochreiter and Schmidhuber 1997): [batch, length, units], or 2 × units in both directions.

    Gates are logistic, the forget gate's bias starts at 1 (Jozefowicz et al., ICML 2015).
    """

    units: int
    bidirectional: bool = False


@dataclass(frozen=True)
class BidirectionalGRU:
    """Gated recurrent units (Cho et al., EMNLP 2014) in both directions: [batch, length, 2 × units].

    As in the paper the state is reset before its product with the recurrent kernel, which every library can do.
    """

    units: int


@dataclass(frozen=True)
class MaxPool:
    """Maximum over the real positions: [batch, length, n] → [batch, n]."""


@dataclass(frozen=True)
class MeanPool:
    """Mean over the real positions: [batch, length, n] → [batch, n]."""


@dataclass(frozen=True)
class MaxMeanPool:
    """Maximum and mean over the real positions, side by side: [batch, length, n] → [batch, 2 n]."""


@dataclass(frozen=True)
class AttentionPool:
    """Weighted mean over the real positions (word attention; Yang et al., NAACL 2016): [batch, length, n] → [batch, n].

    The weights are the softmax of tanh(value · kernel + bias) · context, with a kernel [n, units] and a context [units].
    """

    units: int


@dataclass(frozen=True)
class Parallel:
    """Each branch on the same input, their outputs [batch, n] side by side: [batch, sum of n]."""

    branches: tuple[tuple[Layer, ...], ...]


@dataclass(frozen=True)
class Dense:
    """Fully connected: [batch, n] → [batch, units]."""

    units: int
    activation: Activation


@dataclass(frozen=True)
class TfidfLinear:
    """Term frequency × inverse document frequency, rows of length 1, then linear: ids [batch, n] → [batch, labels].

    What the linear baseline ends as; it is not trained by gradients. Weights: idf [ids], kernel [ids, labels], bias.
    """

    ids: int
    labels: int


Layer = (
    Embedding
    | TokenDropout
    | HashedNgrams
    | SpatialDropout
    | Dropout
    | Conv1D
    | BatchNorm
    | Activate
    | LSTM
    | BidirectionalGRU
    | MaxPool
    | MeanPool
    | MaxMeanPool
    | AttentionPool
    | Parallel
    | Dense
    | TfidfLinear
)
