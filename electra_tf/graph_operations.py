"""What operations a SavedModel is made of, and those that no server can run."""

import os
import re

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

# Calls of Python functions, and what is compiled or was made for XLA only.
_NOT_SERVED = re.compile(r".*PyFunc.*|NumpyFunc|Xla.*")
# What servers older than TensorFlow Serving 2.20 do not have.
_TOO_NEW = re.compile(r"TFText>.*")
_MUST_COMPILE = "_XlaMustCompile"


def of_saved_model(path: str) -> set[str]:
    """The names of all operations, those in functions included.

    A function that must be compiled by XLA counts as "XlaMustCompile".

    Args:
        path: of the SavedModel's numbered folder.
    """
    saved_model = saved_model_pb2.SavedModel()
    with tf.io.gfile.GFile(os.path.join(path, "saved_model.pb"), "rb") as file:
        saved_model.ParseFromString(file.read())
    operations = set()
    for meta_graph in saved_model.meta_graphs:
        graph = meta_graph.graph_def
        nodes = list(graph.node)
        attributes = [function.attr for function in graph.library.function]
        for function in graph.library.function:
            nodes += function.node_def
        operations |= {node.op for node in nodes}
        attributes += [node.attr for node in nodes]
        # Asking for a key that is not there would make it.
        if any(a[_MUST_COMPILE].b for a in attributes if _MUST_COMPILE in a):
            operations.add("XlaMustCompile")
    return operations


def check(path: str):
    """Raises RuntimeError if TensorFlow Serving could not run a SavedModel."""
    wrong = sorted(
        operation
        for operation in of_saved_model(path)
        if _NOT_SERVED.fullmatch(operation) or _TOO_NEW.fullmatch(operation)
    )
    if wrong:
        raise RuntimeError(
            f"The graph holds {', '.join(wrong)}. A server runs neither "
            "Python functions nor graphs for XLA alone, and older ones have "
            "no operation of TFText>."
        )
