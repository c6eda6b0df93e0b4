"""LAMB of tf-models-official, for very large batches."""

import tensorflow as tf

from electra_tf import adam
from electra_tf import guards


class Lamb(adam.AdamWeightDecay):
    """LAMB (https://arxiv.org/abs/1904.00962), for tf_keras's optimizers.

    The update of a variable is that of
    `official.modeling.optimization.lamb.LAMB`: Adam's direction with bias
    correction and weight decay, scaled to the norm of the variable. Where
    there is no weight decay there is no scaling.

    That class is one of Keras's legacy optimizers, which `fit`, checkpoints,
    loss scaling and moving averages treat otherwise than all others. So only
    its method for one variable is called, with the moments, the step and the
    rate of `adam.AdamWeightDecay`, and everything around it is the same for
    both optimizers.

    Args:
        learning_rate: a number or a schedule.
        name: for Keras.
        **kwargs: those of `adam.AdamWeightDecay`; the bias is corrected
            whatever `bias_correction` says.
    """

    def __init__(self, learning_rate, *, name: str = "Lamb", **kwargs):
        super().__init__(
            learning_rate, name=name, **kwargs | {"bias_correction": True}
        )
        # Not to be looked for variables to save: it has none.
        self._official = self._no_dependency(_official_update(self))

    def update_step(self, gradient, variable):
        """Updates one variable and its moments."""
        t = self.num_updates(variable.name)
        beta_1, beta_2 = self.beta_1, self.beta_2
        gradient = tf.convert_to_tensor(gradient)
        # With these a step that is held back changes nothing.
        is_good = ~guards.is_withheld(gradient)
        rate = self.scale_rate(self.learning_rate, variable.name)
        rate = tf.where(is_good, rate, 0.0)
        coefficients = {
            "lr_t": tf.cast(rate, variable.dtype),
            "weight_decay_rate": self.weight_decay_rate,
            "epsilon": self.epsilon,
            "beta_1_t": tf.where(is_good, beta_1, 1.0),
            "one_minus_beta_1_t": tf.where(is_good, 1.0 - beta_1, 0.0),
            "beta_1_power": tf.pow(beta_1, t),
            "beta_2_t": tf.where(is_good, beta_2, 1.0),
            "one_minus_beta_2_t": tf.where(is_good, 1.0 - beta_2, 0.0),
            "beta_2_power": tf.pow(beta_2, t),
        }
        place = (variable.device, variable.dtype.base_dtype)
        self._official._resource_apply_dense(
            tf.where(is_good, gradient, 0.0), variable, {place: coefficients}
        )


def _official_update(optimizer: Lamb):
    """Official's LAMB on the moments of our optimizer."""
    # Here, because few runs need it and it takes seconds.
    from official.modeling.optimization import lamb

    class OfficialUpdate(lamb.LAMB):
        def get_slot(self, var, slot_name):
            m, v = optimizer.moments(var)
            return {"m": m, "v": v}[slot_name]

    return OfficialUpdate(
        exclude_from_weight_decay=list(optimizer.decay_exclusions)
    )
