"""SavedModels whose answers a reader can tell, for the page to show.

They read texts as words between spaces. What says more is the docstring of
each function.
"""

import json
import os

import tensorflow as tf

from finetune import graph_words

LABELS = ("neutral", "good")
CANDIDATES = ("bad", "##x", "good", "[SEP]", "!")
CANDIDATE_PROBABILITIES = (0.4, 0.25, 0.2, 0.1, 0.05)
# Words behind these are not read.
MAX_WORDS = 20
_TEXT = tf.TensorSpec([None], tf.string, name="text")


class Pretrained(tf.Module):
    """A discriminator, a generator and scores."""

    @tf.function(input_signature=[_TEXT])
    def discriminate(self, text):
        """Words with "bad" in them are replaced with 0.9, others with 0.1.

        The text "fail" is an error.
        """
        found = graph_words.split(text)
        is_wrong = tf.reduce_any(text == "fail")
        with tf.control_dependencies(
            [tf.debugging.Assert(~is_wrong, ["This text always fails."])]
        ):
            words = found.words[:, :MAX_WORDS]
        is_bad = tf.strings.regex_full_match(words.values, ".*bad.*")
        probabilities = words.with_values(tf.where(is_bad, 0.9, 0.1))
        return _framed(words) | {
            "starts": _padded(found.starts[:, :MAX_WORDS]),
            "ends": _padded(found.ends[:, :MAX_WORDS]),
            "replaced_probabilities": _padded(probabilities),
        }

    @tf.function(input_signature=[_TEXT])
    def fill_mask(self, text):
        """The same candidates for each [MASK]."""
        parts = tf.strings.split(text, "[MASK]")
        mask = tf.sequence_mask(parts.row_lengths() - 1, dtype=tf.int32)
        shape = tf.concat([tf.shape(mask), [1]], axis=0)
        return {
            "tokens": tf.tile([[CANDIDATES]], shape),
            "probabilities": tf.tile([[CANDIDATE_PROBABILITIES]], shape),
            "mask": mask,
        }

    @tf.function(input_signature=[_TEXT])
    def score(self, text):
        """A word's log-probability is minus the number of its letters."""
        words = graph_words.split(text).words
        lengths = tf.strings.length(words.values, "UTF8_CHAR")
        log_probs = words.with_values(-tf.cast(lengths, tf.float32))
        return _framed(words) | {
            "log_probs": _padded(log_probs),
            "score": tf.reduce_sum(log_probs, axis=1),
        }


class Classifier(tf.Module):
    """Pairs of texts."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text_a"),
            tf.TensorSpec([None], tf.string, name="text_b"),
        ]
    )
    def serve(self, text_a, text_b):
        """Equal texts are "good" with 0.8, others with 0.25."""
        good = tf.where(text_a == text_b, 0.8, 0.25)
        index = tf.cast(good > 0.5, tf.int32)
        return {
            "label": tf.gather(LABELS, index),
            "label_index": index,
            "probabilities": tf.stack([1 - good, good], axis=1),
        }


class Regressor(tf.Module):
    """Single texts."""

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="text_a")]
    )
    def serve(self, text_a):
        """The score is the number of letters."""
        lengths = tf.strings.length(text_a, "UTF8_CHAR")
        return {"score": tf.cast(lengths, tf.float32)}


class Tagger(tf.Module):
    """Names of a single word."""

    @tf.function(input_signature=[_TEXT])
    def serve(self, text):
        """Words that end in "a" or "א" are persons, with 0.75."""
        found = graph_words.split(text)
        is_name = tf.strings.regex_full_match(found.words.values, ".*(a|א)")
        names = found.words.with_values(is_name)

        def of_names(values):
            return tf.ragged.boolean_mask(values, names).to_tensor()

        tags = tf.where(is_name, "S-PER", "O")
        types = found.words.with_values(tf.fill(tf.shape(is_name), "PER"))
        probabilities = tf.where(is_name, 0.75, 0.5)
        return {
            "words": found.words.to_tensor(),
            "tags": found.words.with_values(tags).to_tensor(),
            "starts": found.starts.to_tensor(),
            "ends": found.ends.to_tensor(),
            "probabilities": found.words.with_values(probabilities).to_tensor(),
            "mask": tf.sequence_mask(found.words.row_lengths(), dtype=tf.int32),
            "span_starts": of_names(found.starts),
            "span_ends": of_names(found.ends),
            "span_types": of_names(types),
            "span_texts": of_names(found.words),
            "span_mask": tf.cast(of_names(types) != "", tf.int32),
        }


class Answerer(tf.Module):
    """Parts of passages."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="question"),
            tf.TensorSpec([None], tf.string, name="context"),
        ]
    )
    def serve(self, question, context):
        """The last word with 0.7, the first one with 0.3.

        Questions without "?" have no answer, with 0.6; others have none with
        0.2.
        """
        found = graph_words.split(context)

        def ends(values):
            return tf.concat(
                [values[:, -1:], values[:, :1]], axis=1
            ).to_tensor()

        answers = ends(found.words)
        starts, stops = ends(found.starts), ends(found.ends)
        is_question = tf.strings.regex_full_match(question, ".*\\?")
        probabilities = tf.ones_like(starts, tf.float32) * [0.7, 0.3]
        return {
            "answer": answers[:, 0],
            "start": starts[:, 0],
            "end": stops[:, 0],
            "probability": probabilities[:, 0],
            "is_answerable": is_question,
            "no_answer_probability": tf.where(is_question, 0.2, 0.6),
            "nbest_answers": answers,
            "nbest_starts": starts,
            "nbest_ends": stops,
            "nbest_probabilities": probabilities,
            "nbest_mask": tf.ones_like(starts),
        }


def save_all(folder: str) -> dict[str, str]:
    """Writes a model of each kind; their paths by name."""
    words = Pretrained()
    signatures = {
        "serving_default": words.discriminate,
        "discriminate": words.discriminate,
        "fill_mask": words.fill_mask,
        "score": words.score,
    }
    paths = {"words": _save(folder, "words", words, signatures, {})}
    for name, module, info in (
        ("pairs", Classifier(), {"kind": "classification", "labels": LABELS}),
        ("lengths", Regressor(), {"kind": "regression"}),
        ("names", Tagger(), {"kind": "tagging", "labels": ["O", "S-PER"]}),
        (
            "answers",
            Answerer(),
            {"kind": "question_answering", "has_impossible": True},
        ),
    ):
        signatures = {"serving_default": module.serve}
        paths[name] = _save(folder, name, module, signatures, info)
    return paths


def _save(folder, name, module, signatures, info) -> str:
    base_path = os.path.join(folder, name)
    path = os.path.join(base_path, "1")
    tf.saved_model.save(module, path, signatures=signatures)
    os.mkdir(os.path.join(path, "assets.extra"))
    info = {"kind": "pretraining"} | info
    with open(
        os.path.join(path, "assets.extra", "model_info.json"), "w"
    ) as file:
        json.dump(info, file)
    return base_path


def _padded(values: tf.RaggedTensor) -> tf.Tensor:
    """With 0 for [CLS] and [SEP]."""
    return tf.pad(values.to_tensor(), [[0, 0], [1, 1]])


def _framed(words: tf.RaggedTensor) -> dict[str, tf.Tensor]:
    """`tokens` and `mask` of words between [CLS] and [SEP]."""
    batch = [words.nrows(), 1]
    tokens = tf.concat(
        [tf.fill(batch, "[CLS]"), words, tf.fill(batch, "[SEP]")], axis=1
    )
    return {
        "tokens": tokens.to_tensor(),
        "mask": tf.sequence_mask(tokens.row_lengths(), dtype=tf.int32),
    }
