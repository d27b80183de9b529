"""Layers that tf_keras does not have, or has in a form that does not fit. Importing this imports TensorFlow."""

from __future__ import annotations

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # multi-worker training fails under Keras 3
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402

_EPSILON = 1e-3


class Noise(keras.layers.Layer):
    """Noise that depends on (seed, step) alone, so that a resumed training draws what an uninterrupted one does."""

    def __init__(self, rate: float, seed: int, step: tf.Variable) -> None:
        super().__init__()
        self.rate, self.seed, self.step = rate, seed, step

    def kept(self, shape: tf.Tensor) -> tf.Tensor:
        """A random mask that is true for all but `rate` of its values."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(self.step, tf.int64)])
        return tf.random.stateless_uniform(shape, seed) >= self.rate


class Dropout(Noise):
    """Leaves out single values."""

    def call(self, values: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """`values` unchanged but in training."""
        if not training or self.rate == 0:
            return values
        return values * tf.cast(self.kept(self.shape(values)), values.dtype) / (1 - self.rate)

    def shape(self, values: tf.Tensor) -> tf.Tensor:
        """The shape of the noise."""
        return tf.shape(values)


class SpatialDropout(Dropout):
    """Leaves out whole dimensions of [batch, length, dimensions]."""

    def shape(self, values: tf.Tensor) -> tf.Tensor:
        """One value for all positions."""
        shape = tf.shape(values)
        return tf.stack([shape[0], 1, shape[2]])


class TokenDropout(Noise):
    """Takes ids for the unknown one; padding stays."""

    def call(self, ids: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """`ids` unchanged but in training."""
        if not training or self.rate == 0:
            return ids
        return tf.where(self.kept(tf.shape(ids)) | tf.equal(ids, 0), ids, tf.ones_like(ids))


class BatchNorm(keras.layers.Layer):
    """Batch normalisation over the rows that are real: padding rows, or a rank without a row, change no statistics."""

    def __init__(self, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum

    def build(self, shape: tf.TensorShape) -> None:
        """gamma, beta, and the moving mean and variance, each [n]."""
        size = (int(shape[0][-1]),)
        self.gamma = self.add_weight("gamma", size, initializer="ones")
        self.beta = self.add_weight("beta", size, initializer="zeros")
        self.mean = self.add_weight("mean", size, initializer="zeros", trainable=False)
        self.variance = self.add_weight("variance", size, initializer="ones", trainable=False)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """values float32 [batch, n] and real bool [batch] → [batch, n]."""
        values, real = inputs
        mean, variance = self._of_batch(values, real) if training else (self.mean, self.variance)
        return (values - mean) * tf.math.rsqrt(variance + _EPSILON) * self.gamma + self.beta

    def _of_batch(self, values: tf.Tensor, real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        weight = tf.cast(real, values.dtype)[:, tf.newaxis]
        rows = tf.reduce_sum(weight)
        mean = tf.reduce_sum(values * weight, 0) / tf.maximum(rows, 1.0)
        variance = tf.reduce_sum(tf.square(values - mean) * weight, 0) / tf.maximum(rows, 1.0)
        share = tf.where(rows > 0, 1.0 - self.momentum, 0.0)
        self.mean.assign_add(share * (mean - self.mean))
        self.variance.assign_add(share * (variance - self.variance))
        return mean, variance


class TfidfLinear(keras.layers.Layer):
    """Term frequency × inverse document frequency as in scikit-learn, rows of Euclidean length 1, then linear."""

    def __init__(self, ids: int, labels: int) -> None:
        super().__init__()
        self.ids, self.labels = ids, labels

    def build(self, shape: tf.TensorShape) -> None:
        """idf [ids], kernel [ids, labels], bias [labels]."""
        self.idf = self.add_weight("idf", (self.ids,), initializer="ones")
        self.kernel = self.add_weight("kernel", (self.ids, self.labels), initializer="zeros")
        self.bias = self.add_weight("bias", (self.labels,), initializer="zeros")

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids int32 [batch, n], 0 left out → float32 [batch, labels]."""
        value = tf.gather(self.idf, ids) * tf.cast(tf.not_equal(ids, 0), tf.float32)
        # Σ over occurrences of how often their id occurs · idf² is Σ over ids of (count · idf)².
        norm = tf.sqrt(tf.reduce_sum(_occurrences(ids) * tf.square(value), 1, keepdims=True))
        row = tf.repeat(tf.range(tf.shape(ids)[0]), tf.shape(ids)[1])
        places = tf.cast(tf.stack([row, tf.reshape(ids, [-1])], 1), tf.int64)
        shape = tf.cast(tf.stack([tf.shape(ids)[0], self.ids]), tf.int64)
        bag = tf.SparseTensor(places, tf.reshape(tf.math.divide_no_nan(value, norm), [-1]), shape)
        return tf.sparse.sparse_dense_matmul(bag, self.kernel) + self.bias


def _occurrences(ids: tf.Tensor) -> tf.Tensor:
    """How often each id [batch, n] occurs in its row."""
    ordered = tf.sort(ids, axis=1)
    found = [tf.searchsorted(ordered, ids, side=side) for side in ("right", "left")]
    return tf.cast(found[0] - found[1], tf.float32)
