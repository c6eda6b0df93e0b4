"""Models and their tokenizers as SavedModels that are checked before use.

A SavedModel gets a numbered folder, as TensorFlow Serving wants it:

    OUTPUT_DIR/1/saved_model.pb  variables/  assets/vocab.txt
                 assets.extra/model_info.json

Its signatures are plain graphs with weights as variables: no Python function,
no XLA, no operation that TensorFlow Serving lacks.
"""

from collections.abc import Sequence
import contextlib
import os
import subprocess
import sys
import tempfile
from typing import Any
from typing import NamedTuple
import uuid

from absl import logging
import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf import config
from electra_tf import graph_operations
from electra_tf import model_folder
from electra_tf import signatures as signatures_lib

# Largest difference between what a model and its SavedModel answer, as a share
# of what is larger than 1. One step between two numbers of half precision near
# 1 is 2**-7 = 0.008 for bfloat16, and 2**-10 = 0.001 for float16.
TOLERANCES: dict[config.Precision, float] = {
    "float32": 1e-5,
    "bfloat16": 2**-7,
    "float16": 2**-10,
}


class Exported(NamedTuple):
    """A SavedModel that was checked.

    Attributes:
        path: its numbered folder.
        functions: the traced functions, by signature.
        example: texts that the default signature takes, by name; what it
            takes no texts for is not in there.
    """

    path: str
    functions: dict[str, tf.types.experimental.ConcreteFunction]
    example: dict[str, str]


def save(
    signatures: dict[str, signatures_lib.Signature],
    *,
    resources: dict[str, Any],
    info: dict[str, Any],
    output_dir: str,
    version: int | None = None,
    precision: config.Precision = "float32",
    warmup_batch_sizes: Sequence[int] = (),
) -> Exported:
    """Writes a SavedModel, and checks it in a process of its own.

    Args:
        signatures: by name.
        resources: what the functions use: variables, tables, assets.
        info: kept in `assets.extra/model_info.json`, as JSON types.
        output_dir: gets a folder with the version's number.
        version: number of the version; the next one if None.
        precision: what the functions compute in, which decides how closely
            they are compared.
        warmup_batch_sizes: batches of these sizes become the requests that a
            server warms the model up with.

    Raises:
        ValueError: the version exists.
        RuntimeError: the saved functions do not load, or answer differently,
            or no server could run them. Then there is no folder of that
            version.
    """
    version = _free_version(output_dir, version)
    path = os.path.join(output_dir, str(version))
    # TensorFlow Serving does not look at names that are no numbers.
    temporary = os.path.join(output_dir, f"tmp-{version}-{uuid.uuid4().hex}")
    module = tf.Module()
    for name, resource in resources.items():
        setattr(module, name, resource)
    # The default signature is another name of a function that is in the graph.
    unique = {item.function: item for item in signatures.values()}
    traced = {function: _trace(item) for function, item in unique.items()}
    functions = {
        name: traced[item.function] for name, item in signatures.items()
    }
    try:
        with _without_info_logs():
            tf.saved_model.save(
                module,
                temporary,
                signatures=functions,
                # A server needs no gradients.
                options=tf.saved_model.SaveOptions(
                    experimental_custom_gradients=False
                ),
            )
        graph_operations.check(temporary)
        more = {"precision": precision, "signatures": sorted(signatures)}
        _write_info(temporary, info | more)
        logging.info("Checking the SavedModel in a process of its own.")
        checked = verify(temporary, signatures, functions, precision=precision)
        logging.info("%s", checked)
        if warmup_batch_sizes:
            _write_warmup(temporary, signatures, warmup_batch_sizes)
        tf.io.gfile.rename(temporary, path)
    finally:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.rmtree(temporary)
    return Exported(path, functions, _example(signatures))


def verify(
    path: str,
    signatures: dict[str, signatures_lib.Signature],
    functions: dict[str, tf.types.experimental.ConcreteFunction],
    *,
    precision: config.Precision = "float32",
) -> str:
    """Compares a SavedModel with the Python functions on their samples.

    It is loaded in a fresh process that imports TensorFlow and
    tensorflow_text but nothing of this project; both run on the CPU.

    Args:
        path: of the SavedModel.
        signatures: the functions that it was made from.
        functions: the traced functions, by signature.
        precision: what they compute in.

    Returns:
        A line that says what was compared.

    Raises:
        RuntimeError: any difference above that of `TOLERANCES`, or a failure
            to load.
    """
    script = os.path.join(os.path.dirname(__file__), "verify_export.py")
    tolerance = str(TOLERANCES[precision])
    with tempfile.TemporaryDirectory() as directory:
        answers = os.path.join(directory, "answers.npz")
        np.savez(answers, **_answers(signatures, functions, precision))
        # -P: the folder of the script, this package, is not searched.
        result = subprocess.run(
            [sys.executable, "-P", script, path, answers, tolerance],
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
        )
    if result.returncode:
        raise RuntimeError(
            "The SavedModel does not answer as the model does.\n"
            f"{result.stdout}{result.stderr[-4000:]}"
        )
    return result.stdout.strip()


def summary(exported: Exported) -> str:
    """What was exported and how to use it, for people."""
    base_path = os.path.dirname(os.path.abspath(exported.path))
    lines = [
        f"Exported to {exported.path} ({_size(exported.path) / 1e6:.1f} MB).",
        "",
        "Signatures:",
    ]
    for name, function in exported.functions.items():
        _, inputs = function.structured_input_signature
        outputs = function.structured_outputs
        lines.append(f"  {name}")
        lines += [f"    takes    {line}" for line in _describe(inputs)]
        lines += [f"    returns  {line}" for line in _describe(outputs)]
    default = signatures_lib.DEFAULT
    arguments = ", ".join(
        f"{name}=tf.constant([{text!r}])"
        for name, text in exported.example.items()
    )
    return "\n".join(
        lines
        + [
            "",
            "In Python:",
            "  import tensorflow as tf, tensorflow_text",
            f"  model = tf.saved_model.load({exported.path!r})",
            f'  print(model.signatures["{default}"]({arguments}))',
            "",
            "With TensorFlow Serving:",
            "  tensorflow_model_server --port=8500 --rest_api_port=8501 "
            f"--model_name={os.path.basename(base_path)} "
            f"--model_base_path={base_path}",
        ]
    )


def _free_version(output_dir: str, version: int | None) -> int:
    """The version to be written: as asked for, or the next one."""
    tf.io.gfile.makedirs(output_dir)
    names = [name.rstrip("/") for name in tf.io.gfile.listdir(output_dir)]
    versions = [int(name) for name in names if name.isdecimal()]
    next_version = max(versions, default=0) + 1
    if version in versions:
        raise ValueError(
            f"{output_dir!r} already holds version {version}, and versions "
            f"are not overwritten. The next free one is {next_version}."
        )
    return next_version if version is None else version


def _trace(signature: signatures_lib.Signature):
    # Not in layers either, which ask for AutoGraph themselves.
    @tf.autograph.experimental.do_not_convert
    def by_name(**inputs):
        return signature.function(**inputs)

    function = tf.function(by_name, autograph=False)
    return function.get_concrete_function(**signature.inputs)


@contextlib.contextmanager
def _without_info_logs():
    """Hides how TensorFlow renames what users of a SavedModel never see."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(min(verbosity, logging.WARNING))
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _write_info(path: str, info: dict[str, Any]):
    # Neither TensorFlow nor TensorFlow Serving looks at this file.
    directory = os.path.join(path, "assets.extra")
    tf.io.gfile.makedirs(directory)
    versions = {
        "tensorflow": tf.__version__,
        "tensorflow_text": tf_text.__version__,
    }
    model_folder.write_json(
        os.path.join(directory, "model_info.json"),
        info | {"versions": versions},
    )


def _write_warmup(
    path: str,
    signatures: dict[str, signatures_lib.Signature],
    batch_sizes: Sequence[int],
):
    # Only here: it needs the protocol of TensorFlow Serving.
    from electra_tf.serving import warmup

    samples = {name: item.samples[0] for name, item in signatures.items()}
    warmup.write(path, samples, batch_sizes)


def _example(
    signatures: dict[str, signatures_lib.Signature],
) -> dict[str, str]:
    """The first row of the first sample of the default signature."""
    sample = signatures[signatures_lib.DEFAULT].samples[0]
    return {
        name: tensor[0].numpy().decode()
        for name, tensor in sample.items()
        if tensor.dtype == tf.string
    }


def _answers(
    signatures: dict[str, signatures_lib.Signature],
    functions: dict[str, tf.types.experimental.ConcreteFunction],
    precision: config.Precision,
) -> dict[str, np.ndarray]:
    """What is expected, as `verify_export.py` reads it.

    Arrays by `signature|number of the sample|inputs or outputs|name`.
    """
    arrays, seen = {}, set()
    for name, signature in signatures.items():
        # One sample tells of another name of a function that it is there.
        count = 1 if signature.function in seen else None
        seen.add(signature.function)
        for number, inputs in enumerate(signature.samples[:count]):
            with tf.device("CPU:0"):
                outputs = _expected(
                    signature, functions[name], inputs, precision
                )
            for kind, tensors in (("inputs", inputs), ("outputs", outputs)):
                for key, tensor in tensors.items():
                    array = tensor.numpy()
                    if tensor.dtype == tf.string:
                        array = array.astype(np.bytes_)  # No pickled objects.
                    arrays[f"{name}|{number}|{kind}|{key}"] = array
    return arrays


def _expected(
    signature: signatures_lib.Signature, traced, inputs, precision
) -> dict[str, tf.Tensor]:
    """What the Python function answers to one sample.

    Which of two almost equal answers is the better one depends on rounding,
    and that on whether operations run one by one or as a graph. So answers
    that are no numbers are those of the graph, traced in this process; and in
    half precision, whose steps are large, all are.
    """
    if precision != "float32":
        return traced(**inputs)
    outputs = signature.function(**inputs)
    if all(value.dtype.is_floating for value in outputs.values()):
        return outputs
    of_graph = traced(**inputs)
    return {
        name: value if value.dtype.is_floating else of_graph[name]
        for name, value in outputs.items()
    }


def _describe(specs: dict[str, tf.TensorSpec]) -> list[str]:
    """`text: string [?]` and so on."""
    lines = []
    for name, spec in sorted(specs.items()):
        sizes = ["?" if size is None else str(size) for size in spec.shape]
        lines.append(f"{name}: {spec.dtype.name} [{', '.join(sizes)}]")
    return lines


def _size(directory: str) -> int:
    """Bytes of all files below a folder."""
    return sum(
        tf.io.gfile.stat(os.path.join(folder, name)).length
        for folder, _, names in tf.io.gfile.walk(directory)
        for name in names
    )
