r"""Questions without annotators: sentences of a text with a gap to be filled.

    python -m benchmarks.cloze_questions --corpus=TEXT --output_dir=CLOZE
    python -m finetune.run_finetuning --task=custom \
        --kind=question_answering --has_impossible \
        --train_file=CLOZE/train.json --dev_file=CLOZE/dev.json \
        --init_checkpoint=MODEL --output_dir=CLOZE_RUN

A passage of some sentences is the context. Its question is one of them, in
which a name, a number or a few words are replaced by "what" and many of the
other words are left out, so that it must be matched word by word. Questions
that have no answer come from another passage of the same document. A model
that was pre-trained for an hour has not learned to compare two texts;
--init_from_task=CLOZE_RUN starts other tasks from one that has. The idea is
that of https://arxiv.org/abs/1804.00720 (Dhingra et al. 2018).

train.jsonl and dev.jsonl are for classification with
--text_columns=context,statement --label_column=label: what a passage says, and
what it does not. A model that compares sentences already, from STS-B for
example, learns it, and then suits textual entailment, as in RTE.
"""

import os
import random

from absl import app
from absl import flags

from benchmarks import clozes
from data_prep import corpora
from electra_tf import model_folder
from finetune import trial

_CORPUS = flags.DEFINE_multi_string(
    "corpus", None, "Text, as for data_prep.build_vocab.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the four files.", required=True
)
_NUM_QUESTIONS = flags.DEFINE_integer(
    "num_questions",
    40_000,
    "Questions to train on.",
    lower_bound=1,
)
_NUM_STATEMENTS = flags.DEFINE_integer(
    "num_statements", 20_000, "Statements to train on.", lower_bound=1
)
_NUM_DEV_QUESTIONS = flags.DEFINE_integer(
    "num_dev_questions",
    500,
    "Questions, and statements, to evaluate.",
    lower_bound=1,
)
_IMPOSSIBLE_SHARE = flags.DEFINE_float(
    "impossible_share",
    0.25,
    "Share of the questions that have no answer.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_KEPT_SHARE = flags.DEFINE_float(
    "kept_share",
    0.6,
    "Share of the words of a sentence that its question keeps.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_CONTEXT_WORDS = flags.DEFINE_integer(
    "context_words", 65, "Longest context, in words.", lower_bound=20
)
_SEED = flags.DEFINE_integer("seed", 0, "Decides what is drawn.")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}.")
    num_dev = _NUM_DEV_QUESTIONS.value
    cloze_generator = random.Random(_SEED.value)
    statement_generator = random.Random(_SEED.value)
    found, statements = [], []
    for document in corpora.read_documents(_CORPUS.value):
        found += clozes.of_document(
            document.lines,
            cloze_generator,
            impossible_share=_IMPOSSIBLE_SHARE.value,
            kept_share=_KEPT_SHARE.value,
            context_words=_CONTEXT_WORDS.value,
        )
        statements += clozes.statements(document.lines, statement_generator)
    for flag, made in ((_NUM_QUESTIONS, found), (_NUM_STATEMENTS, statements)):
        if len(made) < flag.value + num_dev:
            raise app.UsageError(
                f"The corpus gives {len(made):,} {flag.name[4:]}, not "
                f"{flag.value + num_dev:,}. Give more text, or ask for less "
                f"with --{flag.name}."
            )
    # The first documents are held out; one may be cut in two.
    os.makedirs(_OUTPUT_DIR.value, exist_ok=True)
    questions = {
        "dev": found[:num_dev],
        "train": cloze_generator.sample(found[num_dev:], _NUM_QUESTIONS.value),
    }
    for name, chosen in questions.items():
        path = os.path.join(_OUTPUT_DIR.value, f"{name}.json")
        model_folder.write_json(path, clozes.squad(chosen))
        impossible = sum(cloze.answer is None for cloze in chosen)
        print(f"{path}: {len(chosen):,} questions, {impossible:,} unanswerable")
    rest = statements[num_dev:]
    statement_generator.shuffle(rest)
    for name, chosen in (
        ("dev", statements[:num_dev]),
        ("train", rest[: _NUM_STATEMENTS.value]),
    ):
        path = os.path.join(_OUTPUT_DIR.value, f"{name}.jsonl")
        trial.write_predictions(path, chosen)
        true = sum(row["label"] == "true" for row in chosen)
        print(f"{path}: {len(chosen):,} statements, {true:,} true")


if __name__ == "__main__":
    app.run(main)
