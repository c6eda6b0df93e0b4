"""Scores texts by a pre-trained model's pseudo-log-likelihood, for reranking.

    python -m electra_tf.score_text --model_dir=MODEL --input=TEXTS

Reads one text a line, and prints one JSON object for each: `text`, `score` in
nats, `num_tokens`, `is_cut`. An Electric model needs one pass a text; of other
models the masked language model is used, one pass a token.
"""

import json
import sys

from absl import flags
import tensorflow as tf

from electra_tf import program
from electra_tf import scoring

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a pre-training run.", required=True
)
_INPUT = flags.DEFINE_string(
    "input", "-", "File with one text a line; - for standard input."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "Sequences computed at once.", lower_bound=1
)
_PER_TOKEN = flags.DEFINE_boolean(
    "per_token", False, "Also print `tokens` and their `log_probs`."
)


def main():
    scorer = scoring.Scorer(
        *scoring.load(_MODEL_DIR.value), batch_size=_BATCH_SIZE.value
    )
    if _INPUT.value == "-":
        _score_lines(scorer, sys.stdin)
        return
    with tf.io.gfile.GFile(_INPUT.value) as file:
        _score_lines(scorer, file)


def _score_lines(scorer: scoring.Scorer, lines):
    texts = []
    for line in lines:
        texts.append(line.rstrip("\r\n"))
        if len(texts) == _BATCH_SIZE.value:
            _print_scores(scorer, texts)
            texts = []
    if texts:
        _print_scores(scorer, texts)


def _print_scores(scorer: scoring.Scorer, texts: list[str]):
    for text, score in zip(texts, scorer.score(texts), strict=True):
        entry = {
            "text": text,
            "score": score.score,
            "num_tokens": len(score.tokens),
            "is_cut": score.is_cut,
        }
        if _PER_TOKEN.value:
            entry |= {"tokens": score.tokens, "log_probs": score.log_probs}
        print(json.dumps(entry, ensure_ascii=False), flush=True)


def run():
    program.run(main)


if __name__ == "__main__":
    run()
