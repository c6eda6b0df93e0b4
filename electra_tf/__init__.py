"""ELECTRA in TensorFlow 2."""

import os

# TensorFlow's C++ notes on the machine; set it to 0 to see them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Keras is tf_keras here; importing TensorFlow loads Keras 3 otherwise, too,
# with scikit-learn and matplotlib, which takes 2 seconds of a core.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
