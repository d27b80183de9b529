"""What a training's settings mean in tf_keras: the optimizer and the loss."""

from __future__ import annotations

from models.engines.base import TrainJob
from models.keras_layers import keras, tf

_UNDECAYED = ["bias", "gamma", "beta"]


def optimizer(job: TrainJob) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba, ICLR 2015) or SGD with Nesterov's momentum; decay as in AdamW (Loshchilov and Hutter 2019)."""
    decay = job.weight_decay or None
    if job.optimizer == "sgd":
        made = keras.optimizers.SGD(job.learning_rate, job.momentum, nesterov=job.momentum > 0, weight_decay=decay)
    else:
        made = keras.optimizers.Adam(job.learning_rate, weight_decay=decay)
    if decay:
        made.exclude_from_weight_decay(var_names=_UNDECAYED)
    return made


def cross_entropy(label: tf.Tensor, logits: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Loss of each row (label smoothing: Szegedy et al., CVPR 2016); label int32 [batch], logits [batch, labels]."""
    of_label = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
    if not smoothing:
        return of_label
    of_all = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
    return (1 - smoothing) * of_label + smoothing * of_all
