"""Settings and results of trials for TensorBoard's page of hyperparameters."""

from collections.abc import Mapping
import os
from typing import Any

from tensorboard.plugins.hparams import api as hparams_api
import tensorflow as tf


def write(
    trial_dir: str,
    *,
    settings: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, float]],
    step: int,
):
    """Adds a trial to what `tensorboard --logdir=DIR` shows under HPARAMS.

    DIR is any folder above. Written again, the newer values are shown.

    Args:
        trial_dir: of the trial, a model folder.
        settings: its configuration; None is left out.
        metrics: of each split, such as `{"dev": {"accuracy": 91.0}}`.
        step: that they were measured at.
    """
    # The page knows no other types.
    known = {
        name: value
        for name, value in settings.items()
        if isinstance(value, bool | int | float | str)
    }
    directory = os.path.join(trial_dir, "tensorboard", "hparams")
    writer = tf.summary.create_file_writer(directory)
    with writer.as_default(step=step):
        hparams_api.hparams(known, trial_id=trial_dir)
        for split, values in metrics.items():
            for name, value in values.items():
                tf.summary.scalar(f"{split}/{name}", value)
    writer.close()
