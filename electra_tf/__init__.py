"""ELECTRA in TensorFlow 2."""

import os

# TensorFlow's C++ notes on the machine; set it to 0 to see them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
