"""What a server has to answer: what the SavedModels answer in Python."""

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers the operations of tokenizers.

from benchmarks import serving_load
from electra_tf.serving import string_arrays


def requests(
    paths: Sequence[str],
    sentences: Sequence[str],
    *,
    batch_size: int,
    signature: str,
    tolerance: float,
) -> list[serving_load.Request]:
    """Batches of sentences, with what each version answers.

    A second text of an example is the next sentence of the list.

    Args:
        paths: of the versions.
        sentences: one for each example.
        batch_size: examples of a request.
        signature: takes nothing but texts.
        tolerance: versions must differ by more in every answer.

    Raises:
        ValueError: there is no such signature, it does not take texts, or
            two versions answer the same.
    """
    models = [tf.saved_model.load(path) for path in paths]
    functions = [_function(model, signature) for model in models]
    _, specs = functions[0].structured_input_signature
    made = []
    for start in range(0, len(sentences) - batch_size + 1, batch_size):
        inputs = {
            name: [
                sentences[(start + number + i) % len(sentences)]
                for i in range(batch_size)
            ]
            for number, name in enumerate(sorted(specs))
        }
        answers = tuple(_answer(function, inputs) for function in functions)
        request = serving_load.Request(inputs, answers)
        _check_differ(request, tolerance)
        made.append(request)
    return made


def _function(model, signature: str):
    if signature not in model.signatures:
        raise ValueError(
            f"No signature {signature!r}. The model has: "
            f"{', '.join(sorted(model.signatures))}."
        )
    function = model.signatures[signature]
    _, specs = function.structured_input_signature
    if any(spec.dtype != tf.string for spec in specs.values()):
        raise ValueError(
            f"Signature {signature!r} does not take texts, but "
            f"{', '.join(sorted(specs))}. Choose one that does."
        )
    return function


def _answer(function, inputs: dict[str, list[str]]) -> serving_load.Arrays:
    outputs = function(
        **{name: tf.constant(texts) for name, texts in inputs.items()}
    )
    return {
        name: string_arrays.decode(name, value.numpy())
        for name, value in outputs.items()
    }


def _check_differ(request: serving_load.Request, tolerance: float):
    for number, answer in enumerate(request.answers):
        found = serving_load.find_version(answer, request.answers, tolerance)
        if found != number:
            raise ValueError(
                f"Two versions answer the same to {request.inputs}, so that "
                "their answers could not be told apart."
            )
