"""The whole way from raw text to a served answer, on a laptop's CPU.

    make quickstart

Text that every installation already has becomes a vocabulary and records; a
tiny ELECTRA is pre-trained on them and fine-tuned to tell real sentences from
scrambled ones, beside the same model without pre-training; both stages are
exported, loaded back and asked. Each step is one of the programs, run by the
command that is printed. What an earlier start has done is not done again.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import json
import os
import random
import re
import shlex
import subprocess
import sys
import time

from absl import app
from absl import flags
import tensorflow as tf
import tensorflow_text  # noqa: F401  The exported models need its operations.

from data_prep import corpora

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "quickstart", "Folder for everything that is made."
)
_PRETRAIN_STEPS = flags.DEFINE_integer(
    "pretrain_steps", 1800, "Steps of pre-training."
)

_HELD_OUT = 0.1  # Share of the documents that pre-training never sees.
_VOCAB_SIZE = 8192
_MAX_SEQ_LENGTH = 32
_NUM_DEV = 1000
_NUM_TRAIN = 4000
_EPOCHS = 4
_ASKED = (
    "the function returns a list of all the files in the directory",
    "the function returns a list of all the banana in the directory",
    "if the value is not given the default value is used",
    "if the is value not given default the value used is",
)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}.")
    started = time.time()
    os.makedirs(_path(), exist_ok=True)
    _write_texts()
    _build_data()
    _pretrain()
    for folder, options in (
        ("finetuned", ()),
        ("from_scratch", ("--from_scratch",)),
    ):
        _finetune(folder, options)
    _export()
    _ask()
    _print_summary(time.time() - started)


def _write_texts():
    """Writes the corpus, its held-out documents, and the task made of them."""
    _heading("Text: the documentation that Python and its packages bring")
    if os.path.exists(_path("task")):
        return
    stats = corpora.CorpusStats()
    train, held_out = [], []
    for document in corpora.read_documents([corpora.EMBEDDED], stats=stats):
        is_held_out = corpora.hash_position(document.lines) < _HELD_OUT
        (held_out if is_held_out else train).append(document.lines)
    print(f"{stats.documents:,} documents, {stats.lines:,} sentences.")
    _write("corpus.txt", _document_lines(train))
    _write("held_out.txt", _document_lines(held_out))
    # Last, under its final name when complete: it says that all is there.
    rows = _scrambled_rows([line for lines in held_out for line in lines])
    os.makedirs(_path("task.tmp", "CoLA"), exist_ok=True)
    _write("task.tmp/CoLA/dev.tsv", rows[:_NUM_DEV])
    _write("task.tmp/CoLA/train.tsv", rows[_NUM_DEV : _NUM_DEV + _NUM_TRAIN])
    os.rename(_path("task.tmp"), _path("task"))


def _document_lines(documents: Sequence[list[str]]) -> list[str]:
    return [line for document in documents for line in [*document, ""]]


def _scrambled_rows(sentences: Sequence[str]) -> list[str]:
    """Lines in CoLA's format; label 1 for a sentence, 0 for a scrambled one.

    Only the words are kept: punctuation and capitals would tell where one
    belongs.
    """
    rng = random.Random(0)
    texts = [re.findall("[a-z]+", sentence.lower()) for sentence in sentences]
    texts = [words for words in texts if 8 <= len(words) <= 20]
    rows = []
    for words in rng.sample(texts, _NUM_DEV + _NUM_TRAIN):
        label = rng.randint(0, 1)
        if not label:
            words = rng.sample(words, len(words))
        rows.append(f"docs\t{label}\t\t{' '.join(words)}")
    return rows


def _build_data():
    _heading("Vocabulary: word pieces of the text")
    if not os.path.exists(_path("vocab.txt")):
        _run(
            "data_prep.build_vocab",
            f"--corpus={_path('corpus.txt')}",
            f"--output={_path('vocab.txt')}",
            f"--vocab_size={_VOCAB_SIZE}",
        )
    _heading("Records: the text as examples of word pieces")
    for corpus, folder in (("corpus.txt", "data"), ("held_out.txt", "eval")):
        if not os.path.exists(_path(folder)):
            _run(
                "data_prep.build_pretraining_data",
                f"--corpus={_path(corpus)}",
                f"--vocab_file={_path('vocab.txt')}",
                f"--output_dir={_path(folder)}",
                f"--max_seq_length={_MAX_SEQ_LENGTH}",
            )


def _pretrain():
    _heading("Pre-training: a generator and a discriminator")
    _run(
        "electra_tf.run_pretraining",
        "--preset=tiny",
        f"--data_dir={_path('data')}",
        f"--eval_data_dir={_path('eval')}",
        f"--model_dir={_path('pretrained')}",
        f"--max_seq_length={_MAX_SEQ_LENGTH}",
        f"--num_train_steps={_PRETRAIN_STEPS.value}",
        "--train_batch_size=32",
        "--eval_steps=20",
    )


def _finetune(folder: str, options: Iterable[str]):
    title = "from random weights" if options else "the discriminator"
    _heading(f"Fine-tuning: {title}, to tell real from scrambled sentences")
    _run(
        "finetune.run_finetuning",
        "--task=cola",
        f"--init_checkpoint={_path('pretrained')}",
        f"--data_dir={_path('task')}",
        f"--output_dir={_path(folder)}",
        f"--max_seq_length={_MAX_SEQ_LENGTH}",
        f"--num_train_epochs={_EPOCHS}",
        "--nopredict_test",
        *options,
    )


def _export():
    _heading("Export: SavedModels that take text")
    for program, folder, name in (
        ("electra_tf.export_model", "pretrained", "electra"),
        ("finetune.export_task", "finetuned", "sentences"),
    ):
        if not os.path.exists(_path("exported", name)):
            _run(
                program,
                f"--model_dir={_path(folder)}",
                f"--output_dir={_path('exported', name)}",
            )


def _ask():
    """Prints what the exported models say of a few sentences."""
    _heading("Answers of the exported models")
    texts = tf.constant(_ASKED)
    discriminate = _load("electra").signatures["discriminate"]
    classify = _load("sentences").signatures["serving_default"]
    marks = discriminate(text=texts)
    answers = classify(text_a=texts)
    for row, text in enumerate(_ASKED):
        # CoLA's labels: "1" for acceptable.
        real = float(answers["probabilities"][row, 1])
        print(f"\n  {text}\n    a real sentence: {real:.0%}")
        tokens = [token.decode() for token in marks["tokens"][row].numpy()]
        probs = marks["replaced_probabilities"][row].numpy()
        suspects = sorted(zip(probs, tokens, strict=True), reverse=True)[:3]
        print(
            "    most likely replaced: "
            + ", ".join(f"{token} {prob:.0%}" for prob, token in suspects)
        )


def _load(name: str):
    versions = sorted(os.listdir(_path("exported", name)), key=int)
    return tf.saved_model.load(_path("exported", name, versions[-1]))


def _print_summary(seconds: float):
    _heading("Summary")
    with open(_path("pretrained", "metrics.jsonl")) as file:
        evaluation = [
            entry for entry in map(json.loads, file) if entry["kind"] == "eval"
        ][-1]
    print(
        f"Pre-training, held-out text, step {evaluation['step']}: masked-LM "
        f"loss {evaluation['masked_lm_loss']:.2f} (at random "
        f"ln {_VOCAB_SIZE} = 9.01), discriminator AUC "
        f"{evaluation['disc_auc']:.3f} (at random 0.5).\n"
    )
    print(f"{'real or scrambled?':<24}{'accuracy':>10}{'MCC':>8}")
    for title, folder in (
        ("pre-trained", "finetuned"),
        ("from scratch", "from_scratch"),
    ):
        with open(_path(folder, "results.json")) as file:
            scores = json.load(file)["summary"]["dev"]
        print(
            f"{title:<24}{scores['accuracy']['median']:>9.1f}%"
            f"{scores['mcc']['median']:>8.1f}"
        )
    print(f"\nCurves: {_path('pretrained', 'curves.png')}")
    print(f"Everything: {_path()}/, made in {seconds / 60:.1f} minutes.")
    print(_NEXT)


_NEXT = """
With your own text (one sentence or paragraph a line, blank lines between
documents), the same programs do the real thing:

  python -m data_prep.build_vocab --corpus=TEXT --output=vocab.txt
  python -m data_prep.build_pretraining_data --corpus=TEXT \\
      --vocab_file=vocab.txt --output_dir=DATA --eval_fraction=0.01
  python -m electra_tf.run_pretraining --preset=small --data_dir=DATA \\
      --eval_data_dir=DATA/eval --model_dir=MODEL
  python -m finetune.run_finetuning --task=rte --init_checkpoint=MODEL \\
      --data_dir=GLUE --output_dir=RTE
  python -m finetune.export_task --model_dir=RTE --output_dir=exported/rte"""


def _run(program: str, *arguments: str):
    """Prints and runs the command of a program; its failure ends this one."""
    print(f"\n$ python -m {shlex.join([program, *arguments])}\n", flush=True)
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    completed = subprocess.run(
        [sys.executable, "-m", program, *arguments], env=environment
    )
    if completed.returncode:
        sys.exit(f"{program} failed with exit code {completed.returncode}.")


def _heading(text: str):
    print(f"\n=== {text} ===", flush=True)


def _path(*parts: str) -> str:
    return os.path.join(_OUTPUT_DIR.value, *parts)


def _write(name: str, lines: Iterable[str]):
    with open(_path(name), "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    app.run(main)
