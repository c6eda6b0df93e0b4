"""What an exported question-answering model answers: parts of contexts."""

import tensorflow as tf

from electra_tf import signatures
from finetune import graph_spans
from finetune import graph_windows
from finetune import served_tasks

# So many windows are computed at once, however long contexts are.
_MAX_WINDOWS = 32
# Twice as long as what any model reads at once; no part of it comes twice.
_LONG_CONTEXT = " ".join(
    f"Room {number} of the house holds {number * number} books." + " " * number
    for number in range(120)
)
_SAMPLES = (
    [
        (
            "What did the chef cook?",
            "The chef cooked the meal. It was crème brûlée 👍🏽 for the "
            "👩‍🚀, with naïve ﬁne tea.",
        ),
        ("من؟ מי?", "السلام عليكم, שלום עולם 深度学习 \t and\u00a0spaces\n"),
        ("", "The time was over."),
        ("Why?", ""),
        ("Who? " * 200, "They were here, they say."),
    ],
    [("How many books are in room 99?", _LONG_CONTEXT)],
    [("", "")],
)


class AnswerFunctions:
    """A question-answering model's answers to texts and to ids.

    Args:
        served: the model, of a task of that kind.
    """

    def __init__(self, served: served_tasks.ServedTask):
        self._served = served
        self._config = served.model.config
        self._output_specs = self._find_output_specs()

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """Both functions by name."""
        return {
            signatures.DEFAULT: signatures.of_texts(
                self.serve_texts, ["question", "context"], batches=_SAMPLES
            ),
            "serve_ids": self._served.ids_signature(self.serve_ids),
        }

    def serve_texts(
        self, question: tf.Tensor, context: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The parts of contexts that answer questions best.

        As `finetune.predict` answers with `answer_text="offsets"`: long
        contexts are read in windows, and the best parts of all windows with
        different texts count.

        Args:
            question: string `[batch]`.
            context: string `[batch]`.

        Returns:
            `[batch]`: `answer` (string), the likeliest one, also where none
            is likelier, and "" if no part of the context can be one; `start`
            and `end` (int32), its place in the UTF-8 bytes of the context, -1
            if there is none; `probability` (float32), among the n best;
            `is_answerable` (bool); `no_answer_probability` (float32), the
            sigmoid of the null score. Tasks whose questions all have an
            answer have 0 there; others have `null_score` (float32), too: the
            higher, the rather there is none, which is the case above the
            `null_threshold` of the task.

            `[batch, n_best_size]`, best first: `nbest_answers`,
            `nbest_starts`, `nbest_ends`, `nbest_probabilities`, and
            `nbest_mask` (int32), 0 where there are no more; then the others
            are "", -1 and 0.
        """
        windows = graph_windows.make(
            question,
            context,
            tokenizer=self._served.tokenizer,
            max_seq_length=self._served.max_seq_length,
            doc_stride=self._config.doc_stride,
            max_query_length=self._config.max_query_length,
            fixed_length=self._served.fixed_length,
        )
        outputs = self._window_outputs(windows.inputs)
        found = graph_spans.best(
            graph_spans.spans(
                outputs,
                windows,
                n_best=self._config.n_best_size,
                max_answer_length=self._config.max_answer_length,
            ),
            context,
            size=self._config.n_best_size,
        )
        return self._nullity(outputs, windows, found) | {
            "answer": found.text[:, 0],
            "start": found.start[:, 0],
            "end": found.end[:, 0],
            "probability": found.probability[:, 0],
            "nbest_answers": found.text,
            "nbest_starts": found.start,
            "nbest_ends": found.end,
            "nbest_probabilities": found.probability,
            "nbest_mask": tf.cast(found.mask, tf.int32),
        }

    def serve_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """What the head says of rows: see `call` of those in `span_heads`.

        Args:
            **inputs: `signatures.IDS`, int32 `[batch, length]`, of
                [CLS] question [SEP] part of the context [SEP].
        """
        return self._served.outputs(inputs)

    def _nullity(self, outputs, windows, found) -> dict[str, tf.Tensor]:
        """Whether questions have no answer, all `[batch]`."""
        if not self._served.task.has_impossible:
            return {
                "is_answerable": tf.ones_like(found.mask[:, 0]),
                "no_answer_probability": tf.zeros_like(found.probability[:, 0]),
            }
        null_score = graph_spans.null_scores(outputs, windows, found)
        return {
            "null_score": null_score,
            "is_answerable": null_score <= self._config.null_threshold,
            "no_answer_probability": tf.sigmoid(null_score),
        }

    def _find_output_specs(self) -> dict[str, tf.TensorSpec]:
        """The types of the head's outputs by name; their shapes may differ."""
        row = self._served.pack(self._served.tokenizer.tokenize([""]))
        return {
            name: tf.TensorSpec([None] * value.shape.rank, value.dtype)
            for name, value in self.serve_ids(**row).items()
        }

    def _window_outputs(
        self, inputs: dict[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The head's outputs for all windows, some after the others."""
        num_windows = tf.shape(inputs["input_ids"])[0]
        # At least one part: an empty loop would have no shape.
        num_parts = tf.maximum(-(-num_windows // _MAX_WINDOWS), 1)
        size = -(-num_windows // num_parts)
        rest = num_parts * size - num_windows

        def in_parts(values):
            length = values.shape[1] or tf.shape(values)[1]
            padded = tf.pad(values, [[0, rest], [0, 0]])
            return tf.reshape(padded, [num_parts, size, length])

        parts = tf.map_fn(
            lambda part: self._served.outputs(part),
            {name: in_parts(values) for name, values in inputs.items()},
            fn_output_signature=self._output_specs,
            parallel_iterations=1,
        )
        return {
            name: tf.reshape(
                values,
                tf.concat([[num_parts * size], tf.shape(values)[2:]], axis=0),
            )[:num_windows]
            for name, values in parts.items()
        }
