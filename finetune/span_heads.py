"""Heads that find the answer to a question in its context.

The original's `qa_tasks.py`, whose variables they have: `dense` scores where
an answer starts, `dense_1`, with `qa_hidden` below it if starts and ends are
predicted jointly, where it ends, and `dense_2` and `dense_3` whether there is
none. There is no dropout.
"""

from collections.abc import Mapping

import tensorflow as tf

from electra_tf import fused
from finetune import finetune_config
from finetune import heads
from finetune import task as task_lib

# As in the original: what is subtracted from the scores of tokens that are
# not of the context. They get a probability of 0, but scores stay finite.
_MASKED = 1000.0
# Of places of a beam that is longer than the sequence; less than any masked.
_NO_TOKEN = -10000.0
_HIDDEN_SIZE = 512


class _SpanHead(heads.Head):
    """What the heads share: scores of starts, and the answerability.

    Losses read the targets `start_positions` and `end_positions`, int32
    `[batch]`, tokens of the row; 0 and 0, [CLS], if the row holds no answer;
    and, if there is a classifier, `is_impossible` `[batch]`, 1 if the
    question has none.

    Args:
        task: what is answered.
        run_config: of the run.
        hidden_size: width of the encoder.
    """

    def __init__(
        self,
        task: task_lib.Task,
        *,
        run_config: finetune_config.FinetuneConfig,
        hidden_size: int,
    ):
        super().__init__(task)
        self.answerable_weight = run_config.answerable_weight
        has_classifier = run_config.answerable_classifier
        if has_classifier is None:
            has_classifier = task.has_impossible
        self.start_dense = self.add_dense(
            1, name="dense", input_size=hidden_size
        )
        self._add_end_layers(hidden_size)
        self.answerable_hidden = self.answerable_dense = None
        if has_classifier:
            self._add_classifier(
                hidden_size, run_config.answerable_uses_start_logits
            )
        self.built = True

    def _add_end_layers(self, hidden_size: int):
        raise NotImplementedError

    def _add_classifier(self, hidden_size: int, uses_start_logits: bool):
        if not uses_start_logits:
            self.answerable_dense = self.add_dense(
                1, name="dense_2", input_size=hidden_size
            )
            return
        self.answerable_hidden = self.add_dense(
            _HIDDEN_SIZE,
            name="dense_2",
            input_size=2 * hidden_size,
            activation=fused.gelu,
        )
        self.answerable_dense = self.add_dense(
            1, name="dense_3", input_size=_HIDDEN_SIZE
        )

    def losses(self, encoded, inputs, targets, dropout_seed=None) -> tf.Tensor:
        """Mean negative log likelihood of start and end, in nats.

        If there is a classifier, `answerable_weight` times its cross-entropy
        is added.
        """
        del dropout_seed  # As in the original: no dropout.
        tokens = tf.cast(encoded.sequence_output, tf.float32)
        penalty = _penalty(inputs)
        start_logits = self._start_logits(tokens, penalty)
        end_logits = self._end_logits_given(
            targets["start_positions"], tokens, penalty
        )
        losses = 0.5 * (
            _negative_log_likelihood(start_logits, targets["start_positions"])
            + _negative_log_likelihood(end_logits, targets["end_positions"])
        )
        if self.answerable_dense is None:
            return losses
        return losses + self.answerable_weight * (
            # As in the original: rows without the answer of a question that
            # has one count as answerable, though they cannot be answered.
            tf.nn.sigmoid_cross_entropy_with_logits(
                labels=tf.cast(targets["is_impossible"], tf.float32),
                logits=self._answerable_logit(tokens, start_logits),
            )
        )

    def _end_logits_given(
        self, start_positions: tf.Tensor, tokens: tf.Tensor, penalty: tf.Tensor
    ) -> tf.Tensor:
        raise NotImplementedError

    def _start_logits(self, tokens: tf.Tensor, penalty: tf.Tensor) -> tf.Tensor:
        return self.start_dense(tokens)[..., 0] - penalty

    def _answerability(
        self, tokens: tf.Tensor, start_logits: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """`answerable_logit`, if there is a classifier."""
        if self.answerable_dense is None:
            return {}
        return {
            "answerable_logit": self._answerable_logit(tokens, start_logits)
        }

    def _answerable_logit(
        self, tokens: tf.Tensor, start_logits: tf.Tensor
    ) -> tf.Tensor:
        """Positive for no answer, as in the original: float32 `[batch]`."""
        vectors = tokens[:, 0]
        if self.answerable_hidden is not None:
            start_vectors = tf.einsum(
                "bl,blh->bh", tf.nn.softmax(start_logits), tokens
            )
            vectors = self.answerable_hidden(
                tf.concat([vectors, start_vectors], axis=-1)
            )
        return self.answerable_dense(vectors)[:, 0]


class IndependentSpanHead(_SpanHead):
    """Scores starts and ends of answers one without the other."""

    TOKEN_OUTPUTS = ("start_logits", "end_logits")

    def _add_end_layers(self, hidden_size: int):
        self.end_dense = self.add_dense(
            1, name="dense_1", input_size=hidden_size
        )

    def call(self, encoded, inputs) -> dict[str, tf.Tensor]:
        """Outputs for a batch.

        Returns:
            `start_logits` and `end_logits`, float32 `[batch, length]`, and,
            if there is a classifier, `answerable_logit`, float32 `[batch]`,
            positive for no answer.
        """
        tokens = tf.cast(encoded.sequence_output, tf.float32)
        penalty = _penalty(inputs)
        start_logits = self._start_logits(tokens, penalty)
        return {
            "start_logits": start_logits,
            "end_logits": self._end_logits(tokens, penalty),
        } | self._answerability(tokens, start_logits)

    def _end_logits(self, tokens: tf.Tensor, penalty: tf.Tensor) -> tf.Tensor:
        return self.end_dense(tokens)[..., 0] - penalty

    def _end_logits_given(
        self, start_positions: tf.Tensor, tokens: tf.Tensor, penalty: tf.Tensor
    ) -> tf.Tensor:
        del start_positions
        return self._end_logits(tokens, penalty)


class JointSpanHead(_SpanHead):
    """Scores ends for each of the likeliest starts.

    Args:
        task: what is answered.
        run_config: of the run.
        hidden_size: width of the encoder.
    """

    def __init__(
        self,
        task: task_lib.Task,
        *,
        run_config: finetune_config.FinetuneConfig,
        hidden_size: int,
    ):
        super().__init__(task, run_config=run_config, hidden_size=hidden_size)
        self.beam_size = run_config.beam_size

    def _add_end_layers(self, hidden_size: int):
        self.hidden_dense = self.add_dense(
            _HIDDEN_SIZE,
            name="qa_hidden",
            input_size=2 * hidden_size,
            activation=fused.gelu,
        )
        self.end_dense = self.add_dense(
            1, name="dense_1", input_size=_HIDDEN_SIZE
        )

    def call(self, encoded, inputs) -> dict[str, tf.Tensor]:
        """Outputs for a batch; log probabilities fall along the beams.

        Returns:
            `start_top_log_probs`, float32, and `start_top_index`, int32
            `[batch, beam]`; for each of these starts `end_top_log_probs`,
            float32, and `end_top_index`, int32 `[batch, beam, beam]`; and
            float32 `[batch]`, `answerable_logit`, positive for no answer, if
            there is a classifier, or `null_score`, if there is none although
            questions may have no answer. Where a beam is longer than the
            rows, what is left has index 0 and a log probability below -1000.
        """
        tokens = tf.cast(encoded.sequence_output, tf.float32)
        penalty = _penalty(inputs)
        start_logits = self._start_logits(tokens, penalty)
        start_log_probs, start_index = self._top(start_logits)
        start_parts, token_parts = self._hidden_parts(
            tf.gather(tokens, start_index, batch_dims=1), tokens
        )

        def ends_of(start_part):  # Of one start a row: [batch, hidden].
            logits = self._end_logits(start_part, token_parts, penalty)
            return self._top(logits)

        # One start after the other: [batch, beam, length, hidden] would be
        # by far the largest array of all.
        end_log_probs, end_index = tf.map_fn(
            ends_of,
            tf.transpose(start_parts, [1, 0, 2]),
            fn_output_signature=(tf.float32, tf.int32),
            parallel_iterations=1,
        )  # [beam, batch, beam]
        outputs = {
            "start_top_log_probs": start_log_probs,
            "start_top_index": start_index,
            "end_top_log_probs": tf.transpose(end_log_probs, [1, 0, 2]),
            "end_top_index": tf.transpose(end_index, [1, 0, 2]),
        }
        outputs |= self._answerability(tokens, start_logits)
        if self.task.has_impossible and self.answerable_dense is None:
            # As in the original: the score of [CLS] as a start, which is no
            # log probability, with nothing added for the end.
            outputs["null_score"] = start_logits[:, 0]
        return outputs

    def _top(self, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The likeliest tokens of `[batch, length]`: `[batch, beam]`."""
        length = tf.shape(logits)[1]
        missing = tf.maximum(self.beam_size - length, 0)
        log_probs, index = tf.math.top_k(
            tf.pad(
                tf.nn.log_softmax(logits),
                [[0, 0], [0, missing]],
                constant_values=_NO_TOKEN,
            ),
            k=self.beam_size,
        )
        return log_probs, tf.where(index < length, index, 0)

    def _hidden_parts(
        self, starts: tf.Tensor, tokens: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What starts and tokens add to the hidden layer, before the GELU.

        It reads a start and a token side by side; so the upper half of its
        kernel is for starts, and no pair needs to be written down.
        """
        start_kernel, token_kernel = tf.split(self.hidden_dense.kernel, 2)
        return (
            tf.tensordot(starts, start_kernel, 1),
            tf.tensordot(tokens, token_kernel, 1) + self.hidden_dense.bias,
        )

    def _end_logits(
        self, start_part: tf.Tensor, token_parts: tf.Tensor, penalty: tf.Tensor
    ) -> tf.Tensor:
        """Scores of ends for one start a row: float32 `[batch, length]`."""
        hidden = fused.gelu(start_part[:, tf.newaxis] + token_parts)
        return self.end_dense(hidden)[..., 0] - penalty

    def _end_logits_given(
        self, start_positions: tf.Tensor, tokens: tf.Tensor, penalty: tf.Tensor
    ) -> tf.Tensor:
        """As in the original, training reads the true starts only."""
        one_hot = tf.one_hot(start_positions, tf.shape(tokens)[1])
        starts = tf.einsum("bl,blh->bh", one_hot, tokens)
        return self._end_logits(*self._hidden_parts(starts, tokens), penalty)


def create(
    task: task_lib.Task,
    *,
    run_config: finetune_config.FinetuneConfig,
    hidden_size: int,
) -> heads.Head:
    """The head that a run is configured for."""
    head = JointSpanHead if run_config.joint_prediction else IndependentSpanHead
    return head(task, run_config=run_config, hidden_size=hidden_size)


def _penalty(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """0 for [CLS], the context and its [SEP], else `_MASKED`."""
    is_context = inputs["input_mask"] * inputs["segment_ids"]
    is_first = tf.one_hot(0, tf.shape(is_context)[1], dtype=is_context.dtype)
    return _MASKED * tf.cast(1 - is_context - is_first, tf.float32)


def _negative_log_likelihood(
    logits: tf.Tensor, positions: tf.Tensor
) -> tf.Tensor:
    """In nats, float32 `[batch]`; 0 if the position is not in the row.

    Not TensorFlow's own, which answers that with NaN: where several tasks are
    learned, rows of other tasks come with positions of any example.
    """
    log_probs = tf.nn.log_softmax(logits)
    return -tf.reduce_sum(
        tf.one_hot(positions, tf.shape(logits)[1]) * log_probs, axis=-1
    )
