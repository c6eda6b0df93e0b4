r"""Labels or answers new text with a fine-tuned model, as JSON lines.

    echo "A fine film." | python -m finetune.predict --model_dir=SST
    python -m finetune.predict --model_dir=SQUAD --input=questions.jsonl \
        --output=answers.jsonl

A line of input is JSON, such as {"question": ..., "context": ...}, {"text_a":
..., "text_b": ...} or {"words": [...]}; or plain text, with a tab between two
texts. The id of an answer is the "id" of its JSON, or the number of its line,
from 0.
"""

import contextlib
import json
import sys
import time

from absl import flags
from absl import logging

from electra_tf import program

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Folder of a fine-tuning run; of several trials, the best is taken.",
    required=True,
)
_INPUT = flags.DEFINE_string("input", "-", 'File of lines; "-" for stdin.')
_OUTPUT = flags.DEFINE_string(
    "output", "-", 'File for the JSON lines; "-" for stdout.'
)
_TASK = flags.DEFINE_string(
    "task", None, "Which task's answers, if the model has learned several."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "Rows that the model reads at once.", lower_bound=1
)
_CHUNK_SIZE = flags.DEFINE_integer(
    "chunk_size",
    512,
    "Lines that are read before the first of them is answered; among them "
    "texts of equal length are answered together.",
    lower_bound=1,
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace the output if it exists."
)


def main():
    # Here, so that --help does not wait for TensorFlow.
    from finetune import finetuned
    from finetune import prediction

    model = finetuned.load(_MODEL_DIR.value)
    predictor = prediction.Predictor(
        model, task_name=_TASK.value, batch_size=_BATCH_SIZE.value
    )
    started, count = time.monotonic(), 0
    with _opened_input() as lines, _opened_output() as output:
        for record in predictor.records(lines, chunk_size=_CHUNK_SIZE.value):
            output.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
            if count % (10 * _CHUNK_SIZE.value) == 0:
                rate = count / (time.monotonic() - started)
                logging.info("%d answers, %.1f/s", count, rate)
    seconds = time.monotonic() - started
    logging.info("%d answers in %.1f s", count, seconds)


def _opened_input():
    import tensorflow as tf

    if _INPUT.value == "-":
        return contextlib.nullcontext(sys.stdin)
    if not tf.io.gfile.exists(_INPUT.value):
        raise ValueError(f"No file {_INPUT.value!r}.")
    return tf.io.gfile.GFile(_INPUT.value)


@contextlib.contextmanager
def _opened_output():
    """The file appears under its name when it is complete."""
    import tensorflow as tf

    path = _OUTPUT.value
    if path == "-":
        yield sys.stdout
        return
    if tf.io.gfile.exists(path) and not _OVERWRITE.value:
        raise ValueError(f"{path!r} exists. Say --overwrite to replace it.")
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        yield file
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
