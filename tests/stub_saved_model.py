"""A SavedModel that is plain arithmetic, with a variable and a table."""

import tensorflow as tf


class _Characters(tf.Module):
    """Splits texts; weighs their lengths by 0.5."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(0.5)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), 0
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def characters(self, text):
        characters = tf.strings.unicode_split(text, "UTF-8")
        lengths = tf.cast(characters.row_lengths(), tf.float32)
        return {
            "tokens": characters.to_tensor(),
            "ids": self.table.lookup(characters.to_tensor()),
            "mask": tf.ones_like(characters, tf.int32).to_tensor(),
            "weighed": self.weight * lengths,
        }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32, "input_ids"),
            tf.TensorSpec([None], tf.string, "name"),
        ]
    )
    def total(self, input_ids, name):
        return {"total": tf.reduce_sum(input_ids, 1), "name": name}


def write(path: str):
    """Writes it; signatures: "serving_default" of text, and "total"."""
    model = _Characters()
    tf.saved_model.save(
        model,
        path,
        signatures={"serving_default": model.characters, "total": model.total},
    )


def expected_row(text: str) -> dict:
    """The answer of the default signature, as JSON."""
    return {
        "tokens": list(text),
        "ids": [{"a": 1, "b": 2}.get(character, 0) for character in text],
        "weighed": 0.5 * len(text),
    }
