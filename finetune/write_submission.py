r"""Writes the file that a leaderboard wants from the predictions of runs.

    python -m finetune.write_submission --output=glue.zip \
        --model_dir=COLA --model_dir=SST ... --model_dir=WNLI
    python -m finetune.write_submission --output=answers.json --model_dir=SQUAD

GLUE's zip has eleven files; that of MNLI's diagnostic set comes from the run on
MNLI. Beside answers.json the scores for there being no answer are written to
answers_null_odds.json, if the task has such questions.
"""

import json
import os

from absl import flags

from electra_tf import program

_MODEL_DIR = flags.DEFINE_multi_string(
    "model_dir", None, "Folder of a fine-tuning run.", required=True
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "File to write, .zip for GLUE or .json.", required=True
)
_USE = flags.DEFINE_enum(
    "use",
    "best",
    ["best", "ensemble"],
    "Of a run with several trials: the best one on the dev set, or all.",
)
_SPLIT = flags.DEFINE_string(
    "split", "dev", "Split whose answers the JSON file gets."
)
_FILL_MISSING = flags.DEFINE_bool(
    "fill_missing",
    False,
    "Give GLUE's tasks without a run the same worthless answer everywhere.",
)
_OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Replace the output if it exists."
)


def main():
    # Here, so that --help does not wait for TensorFlow.
    from finetune import submissions

    output = _OUTPUT.value
    predictions = [
        part
        for model_dir in _MODEL_DIR.value
        for part in submissions.read_predictions(
            model_dir, use_ensemble=_USE.value == "ensemble"
        )
    ]
    if output.endswith(".zip"):
        content, filled = submissions.glue_zip(
            predictions, fill_missing=_FILL_MISSING.value
        )
        _write(output, content)
        if filled:
            print(f"Worthless answers, for lack of a run: {', '.join(filled)}")
    elif output.endswith(".json"):
        parts = [part for part in predictions if part.split == _SPLIT.value]
        if len(parts) != 1:
            raise ValueError(
                f"{len(parts)} sets of predictions for the split "
                f"{_SPLIT.value!r}; name one run that has it. Found: "
                f"{', '.join(part.path for part in predictions)}."
            )
        answers, null_scores = submissions.squad_json(parts[0])
        _write(output, _json(answers))
        if null_scores:
            stem = os.path.splitext(output)[0]
            _write(f"{stem}_null_odds.json", _json(null_scores))
    else:
        raise ValueError(f"--output must end in .zip or .json, got {output!r}.")


def _json(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _write(path: str, content: bytes):
    import tensorflow as tf

    if tf.io.gfile.exists(path) and not _OVERWRITE.value:
        raise ValueError(f"{path!r} exists. Say --overwrite to replace it.")
    with tf.io.gfile.GFile(path + ".tmp", "wb") as file:
        file.write(content)
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)
    print(f"Wrote {path}")


def run():
    program.run(main)


if __name__ == "__main__":
    run()
