"""Text to TFRecords."""

import electra_tf  # noqa: F401  Its settings, before TensorFlow.
