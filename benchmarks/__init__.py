"""Programs that measure; run by hand."""

import electra_tf  # noqa: F401  Its settings, before TensorFlow.
