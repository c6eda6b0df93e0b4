"""Tasks: fine-tuning, evaluation, predictions."""

import electra_tf  # noqa: F401  Before TensorFlow, whose notes it quiets.
