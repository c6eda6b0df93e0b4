"""Text to TFRecords."""

import electra_tf  # noqa: F401  Before TensorFlow, whose notes it quiets.
