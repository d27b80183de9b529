"""What a training's settings mean in tf_keras: the optimizer and the loss."""

from __future__ import annotations

from typing import Any

from models.engines.base import TrainJob
from models.keras_layers import keras, tf

_UNDECAYED = ["bias", "gamma", "beta"]


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """tf_keras' Adam, a variable's update in one pass over it: with an embedding's gradient it makes many, each over the table."""

    def update_step(self, gradient: Any, variable: Any) -> None:
        """Update one variable; rows that a sparse gradient does not name move by their momentum, as by a dense one."""
        index = self._index_dict[self._var_key(variable)]
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        with tf.device(variable.device):  # of a parameter server's variable only the rows of its gradient are to travel
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=self._momentums[index].handle, v=self._velocities[index].handle,
                beta1_power=tf.pow(tf.cast(self.beta_1, dtype), step), beta1=self.beta_1,
                beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step), beta2=self.beta_2,
                lr=tf.cast(self.learning_rate, dtype), epsilon=self.epsilon, grad=tf.convert_to_tensor(gradient),
            )  # fmt: skip


def optimizer(job: TrainJob) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba, ICLR 2015) or SGD with Nesterov's momentum; decay as in AdamW (Loshchilov and Hutter 2019)."""
    decay = job.weight_decay or None
    if job.optimizer == "sgd":
        made = keras.optimizers.SGD(job.learning_rate, job.momentum, nesterov=job.momentum > 0, weight_decay=decay)
    else:
        made = Adam(job.learning_rate, weight_decay=decay)
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
