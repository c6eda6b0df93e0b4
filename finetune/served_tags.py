"""What an exported tagging model answers: tags of words, and entities."""

import tensorflow as tf

from electra_tf import signatures
from finetune import graph_entities
from finetune import graph_words
from finetune import served_tasks
from finetune import tag_schemes


class TaggingFunctions:
    """A tagging model's answers to texts and to ids.

    Args:
        served: the model, of a task of that kind.
    """

    def __init__(self, served: served_tasks.ServedTask):
        self._served = served
        with tf.init_scope():
            self._meanings = graph_entities.meanings(served.task.labels)

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """Both functions by name."""
        return {
            signatures.DEFAULT: signatures.of_texts(self.serve_text, ["text"]),
            "serve_ids": self._served.ids_signature(self.serve_ids),
        }

    def serve_text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The tags of the words of texts, and the entities that they tell.

        Words are what stands between spaces. Those that do not fit into the
        model, or of which the tokenizer leaves nothing, get the tag "O" with
        a probability of 0.

        Args:
            text: string `[batch]`.

        Returns:
            Of words, `[batch, words]`, 0 or empty on padding: `words` and
            `tags` (string), the likeliest tag in the scheme BIOES; `starts`
            and `ends` (int32), the word's place in the UTF-8 bytes of the
            text; `probabilities` (float32) of the tags; `mask` (int32, 1 for
            words). Of entities, `[batch, entities]`, likewise: `span_starts`,
            `span_ends`, `span_types`, `span_texts` with one space between
            words, and `span_mask`. Entities are read from tags as by
            `tag_schemes.spans`.
        """
        found = graph_words.split(text)
        positions, inputs = self._read(found.words)
        logits = self._served.outputs(inputs)["logits"]
        probabilities = tf.nn.softmax(
            tf.gather(logits, tf.maximum(positions, 0), batch_dims=1)
        )  # [batch, words, tags]
        is_seen = positions >= 0
        best = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
        tags = tf.where(
            is_seen, tf.gather(self._meanings.names, best), tag_schemes.OUTSIDE
        )
        mask = tf.sequence_mask(found.words.row_lengths())
        starts, ends = found.starts.to_tensor(), found.ends.to_tensor()
        entities = graph_entities.find(
            best,
            of=self._meanings,
            is_seen=is_seen,
            starts=starts,
            ends=ends,
            text=text,
        )
        return entities | {
            "words": found.words.to_tensor(),
            "tags": tf.where(mask, tags, ""),
            "starts": starts,
            "ends": ends,
            "probabilities": tf.where(
                is_seen, tf.reduce_max(probabilities, axis=-1), 0.0
            ),
            "mask": tf.cast(mask, tf.int32),
        }

    def serve_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """The tags of tokens; those at words' first tokens count.

        Args:
            **inputs: `signatures.IDS`, int32 `[batch, length]`.

        Returns:
            `logits` and `probabilities`, float32 `[batch, length, tags]`, in
            the order of the task's labels.
        """
        logits = self._served.outputs(inputs)["logits"]
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    def _read(
        self, words: tf.RaggedTensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """What `tagging_features` makes of words, string `[batch, (words)]`.

        Returns:
            Where the first token of each word is, int32 `[batch, words]`, -1
            for words that are not seen and for padding; and `signatures.IDS`.
        """
        pieces = self._served.tokenizer.tokenize(words.values)
        lengths = tf.cast(pieces.row_lengths(), tf.int32)
        after = tf.concat([[0], tf.cumsum(lengths)], axis=0)
        # Counted from the first piece of the text.
        first = tf.gather(after, words.row_starts())
        ends = after[1:] - tf.gather(first, words.value_rowids())
        # [CLS] and [SEP] need a place, too.
        is_kept = ends <= self._served.max_seq_length - 2
        is_seen = is_kept & (lengths > 0)
        positions = tf.where(is_seen, ends - lengths + 1, -1)
        ids = words.with_values(pieces).merge_dims(1, 2)
        is_kept = ids.with_values(tf.repeat(is_kept, lengths))
        return (
            words.with_values(positions).to_tensor(-1),
            self._served.pack(tf.ragged.boolean_mask(ids, is_kept)),
        )
