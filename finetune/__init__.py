"""Tasks: fine-tuning, evaluation, predictions."""

import electra_tf  # noqa: F401  Its settings, before TensorFlow.
