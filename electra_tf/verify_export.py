"""Compares the answers of a SavedModel with recorded ones, on its own.

    python verify_export.py SAVED_MODEL ANSWERS.npz TOLERANCE

Run by `export.verify` as a file, so that nothing of this project is imported:
what works here works wherever TensorFlow and tensorflow_text are installed.
"""

import collections
import sys

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers its operations.


def main(saved_model: str, answers: str, tolerance: float) -> int:
    """Returns the exit code: 0 if all answers agree."""
    signatures = tf.saved_model.load(saved_model).signatures
    problems, largest, num_samples = [], 0.0, 0
    for (name, number), sample in sorted(read_samples(answers).items()):
        outputs = signatures[name](
            **{key: tf.constant(x) for key, x in sample["inputs"].items()}
        )
        num_samples += 1
        if set(outputs) != set(sample["outputs"]):
            problems.append(f"{name} returns {sorted(outputs)}.")
            continue
        for key, expected in sample["outputs"].items():
            difference = compare(outputs[key].numpy(), expected)
            largest = max(largest, difference)
            if not difference <= tolerance:  # Also if it is no number.
                problems.append(
                    f"{name}, sample {number}: {key} differs by {difference}."
                )
    print(
        *problems,
        f"Compared {num_samples} samples of {len(signatures)} signatures; "
        f"largest difference {largest:.1e}.",
        sep="\n",
    )
    return 1 if problems else 0


def read_samples(path: str) -> dict[tuple[str, str], dict]:
    """Arrays by (signature, number), "inputs" or "outputs", and name."""
    samples = collections.defaultdict(lambda: {"inputs": {}, "outputs": {}})
    with np.load(path) as arrays:
        for label in arrays.files:
            name, number, kind, key = label.split("|")
            samples[name, number][kind][key] = arrays[label]
    return samples


def compare(actual: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference; infinite for anything but close numbers.

    It is a share of what is expected, where that is larger than 1: so many
    digits a number in float32 has.
    """
    if actual.shape != expected.shape:
        return float("inf")
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(actual, expected) else float("inf")
    shares = np.abs(actual - expected) / np.maximum(np.abs(expected), 1.0)
    return float(np.max(shares, initial=0.0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
