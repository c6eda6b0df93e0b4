"""One WordPiece tokenizer for data, fine-tuning, export and serving.

It answers as the original's `FullTokenizer` (`model/tokenization.py`) does,
as a graph of operations that TensorFlow Serving has: text is normalised with
core and tensorflow_text operations in the original's order, and
`FastWordpieceTokenizer` splits it into words and the words into pieces.

Known differences from the original, all in how text is read:

- Which characters exist, and what they are, is as new as the Unicode tables
  inside TensorFlow; the original's are those of its Python. A character that
  is unassigned there is dropped, and a letter or symbol here.
- A vocabulary with duplicates or empty lines is refused, where the original
  took the last of the duplicates.
"""

from collections.abc import Sequence
import functools
import hashlib
import json
import os
from typing import NamedTuple

import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf import packing

PAD, UNK, CLS, SEP, MASK = SPECIAL_TOKENS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
)
VOCAB_FILE = "vocab.txt"
SETTINGS_FILE = "tokenizer.json"

# As in the original: longer words, in characters after normalisation, are
# unknown. FastWordpieceTokenizer counts bytes; a character has up to four.
_MAX_WORD_LENGTH = 200
_MAY_BE_LONG = rf"(?s).*\S{{{_MAX_WORD_LENGTH + 1}}}.*"

# Text that normalisation only has to lower-case, byte for byte.
_PLAIN = r"[\t\n\r -~]*"
# As in the original: NUL, U+FFFD and every character of the categories C* are
# dropped, but for these three spaces. \P{..} of everything else is used for
# C*, because RE2 has no name for unassigned characters.
_DROPPED = r"[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}\t\n\r]|\x{FFFD}"
_CAPITAL_I_WITH_DOT = "\u0130"


_BATCH_OF_STRINGS = [tf.TensorSpec([None], tf.string)]


class Pieces(NamedTuple):
    """What a batch of texts is made of; all int32 `[batch, (pieces)]`.

    Attributes:
        ids: Vocabulary indices.
        starts: Where each piece starts, in UTF-8 bytes of the text as given.
        ends: Where each piece ends (exclusive). Characters that normalisation
            removed belong to the piece before them.
        word_ids: Index of the word, in the text's words and punctuation
            marks, that each piece belongs to.
    """

    ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor
    word_ids: tf.RaggedTensor


class Tokenizer:
    """Splits texts into WordPieces; the same eagerly and inside a graph.

    Args:
        vocab: The pieces in the order of their ids, with all of [PAD], [UNK],
            [CLS], [SEP] and [MASK].
        lower_case: Whether the text is lower-cased.
        strip_accents: Whether accents are removed. As in the original, a
            cased tokenizer (`lower_case=False`) never removes them.

    Raises:
        ValueError: If the vocabulary cannot be used.
    """

    def __init__(
        self,
        vocab: Sequence[str],
        *,
        lower_case: bool = True,
        strip_accents: bool = True,
    ):
        self.vocab = tuple(vocab)
        _check_vocab(self.vocab)
        self.lower_case = lower_case
        self.strip_accents = strip_accents
        self.special_ids = tuple(map(self.vocab.index, SPECIAL_TOKENS))
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (
            self.special_ids
        )
        with tf.init_scope():
            self._wordpiece = _wordpiece_tokenizer(self.vocab)
            self._starts_word = tf.constant(
                [not token.startswith("##") for token in self.vocab]
            )

    @classmethod
    def from_vocab_file(cls, path: str, **settings) -> "Tokenizer":
        """The tokenizer of a vocabulary file, which has one piece a line."""
        try:
            return cls(read_vocab(path), **settings)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    @classmethod
    def load(cls, directory: str) -> "Tokenizer":
        """The tokenizer that `save` wrote into a directory."""
        path = os.path.join(directory, SETTINGS_FILE)
        with tf.io.gfile.GFile(path) as file:
            settings = json.loads(file.read())
        known = {"lower_case", "strip_accents"}
        if set(settings) != known:
            raise ValueError(
                f"{path} must hold exactly the settings {sorted(known)}, "
                f"got {sorted(settings)}."
            )
        vocab_file = os.path.join(directory, VOCAB_FILE)
        return cls.from_vocab_file(vocab_file, **settings)

    def save(self, directory: str) -> None:
        """Writes vocab.txt and tokenizer.json into a directory."""
        tf.io.gfile.makedirs(directory)
        vocab = "".join(f"{token}\n" for token in self.vocab)
        settings = json.dumps(self.settings(), indent=2) + "\n"
        for name, text in ((VOCAB_FILE, vocab), (SETTINGS_FILE, settings)):
            path = os.path.join(directory, name)
            with tf.io.gfile.GFile(path + ".tmp", "wb") as file:
                file.write(text.encode("utf-8"))
            tf.io.gfile.rename(path + ".tmp", path, overwrite=True)

    def settings(self) -> dict[str, bool]:
        """What tokenizer.json holds; keyword arguments of the constructor."""
        return {
            "lower_case": self.lower_case,
            "strip_accents": self.strip_accents,
        }

    @property
    def vocab_size(self) -> int:
        return len(self.vocab)

    @property
    def vocab_sha256(self) -> str:
        """The hexadecimal SHA-256 of the vocabulary joined by newlines."""
        return hashlib.sha256("\n".join(self.vocab).encode()).hexdigest()

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The pieces of a flat list of ids."""
        return [self.vocab[index] for index in ids]

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits string `[batch]` into int32 ids `[batch, (pieces)]`."""
        return self._tokenize(_as_strings(texts))

    def tokenize_with_offsets(self, texts: tf.Tensor) -> Pieces:
        """Splits string `[batch]` into pieces that know where they are from.

        It is about a third as fast as `tokenize`.
        """
        return self._tokenize_with_offsets(_as_strings(texts))

    def normalize(self, texts: tf.Tensor) -> tf.Tensor:
        """Texts as they are before they are split: clean, lower-cased, ..."""
        return self._normalize(_as_strings(texts))[0]

    def join(
        self,
        first: tf.RaggedTensor,
        second: tf.RaggedTensor | None = None,
        *,
        max_seq_length: int,
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """`packing.join` with this tokenizer's special tokens."""
        return packing.join(
            first,
            second,
            cls_id=self.cls_id,
            sep_id=self.sep_id,
            max_seq_length=max_seq_length,
        )

    def pack(
        self,
        first: tf.RaggedTensor,
        second: tf.RaggedTensor | None = None,
        *,
        max_seq_length: int,
        pad: bool = True,
    ) -> dict[str, tf.Tensor]:
        """Model inputs of ids: `packing.join`, then `packing.pad`.

        Args:
            first: int32 `[batch, (pieces)]`.
            second: int32 `[batch, (pieces)]`, or None.
            max_seq_length: The most pieces of an example, with [CLS], [SEP].
            pad: Whether every example gets that length; otherwise all get the
                length of the longest one of the batch.
        """
        ids, segment_ids = self.join(
            first, second, max_seq_length=max_seq_length
        )
        return packing.pad(
            ids,
            segment_ids,
            pad_id=self.pad_id,
            length=max_seq_length if pad else None,
        )

    @tf.function(input_signature=_BATCH_OF_STRINGS, autograph=False)
    def _tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        normalized, _ = self._normalize(texts)
        # Finding overlong words takes longer than splitting: it is left to
        # the rows, usually none, that may have one.
        is_long = tf.strings.regex_full_match(normalized, _MAY_BE_LONG)
        short_rows = self._wordpiece.tokenize(tf.where(is_long, "", normalized))
        long_rows = self._split(tf.boolean_mask(normalized, is_long)).ids
        num_rows = tf.size(is_long)
        order = tf.where(
            is_long,
            num_rows + tf.cumsum(tf.cast(is_long, tf.int32)) - 1,
            tf.range(num_rows),
        )
        return tf.gather(tf.concat([short_rows, long_rows], axis=0), order)

    @tf.function(input_signature=_BATCH_OF_STRINGS, autograph=False)
    def _tokenize_with_offsets(self, texts: tf.Tensor) -> Pieces:
        normalized, changed_rows = self._normalize(texts)
        return self._align(self._split(normalized), texts, changed_rows)

    def _normalize(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns clean texts, and in which rows bytes may have moved."""
        changed_rows = tf.where(~tf.strings.regex_full_match(texts, _PLAIN))
        cleaned = self._clean(tf.gather_nd(texts, changed_rows))
        if self.lower_case:
            texts = tf.strings.lower(texts)
        texts = tf.tensor_scatter_nd_update(texts, changed_rows, cleaned)
        return texts, changed_rows[:, 0]

    def _clean(self, texts: tf.Tensor) -> tf.Tensor:
        """Normalises any text as the original's `BasicTokenizer` does."""
        # As in the original: bytes that are not UTF-8 are dropped.
        texts = tf.strings.unicode_transcode(
            texts, "UTF-8", "UTF-8", errors="ignore"
        )
        texts = tf.strings.regex_replace(texts, _DROPPED, "")
        if self.lower_case:
            # `lower` follows the locale of the process: Turkish has another
            # lower case of both capital I. These two come before it.
            texts = tf.strings.lower(texts)
            texts = tf.strings.regex_replace(
                texts, _CAPITAL_I_WITH_DOT, "i\u0307"
            )
            texts = tf.strings.lower(texts, encoding="utf-8")
            if self.strip_accents:
                texts = tf_text.normalize_utf8(texts, "NFD")
                texts = tf.strings.regex_replace(texts, r"\p{Mn}", "")
        return texts

    def _split(self, normalized: tf.Tensor) -> Pieces:
        """Pieces with offsets into the normalised text."""
        ids, starts, ends = self._wordpiece.tokenize_with_offsets(normalized)
        rows, ids = ids.value_rowids(), ids.values
        starts = tf.cast(starts.values, tf.int32)
        ends = tf.cast(ends.values, tf.int32)
        is_first = tf.gather(self._starts_word, ids)
        words = tf.cumsum(tf.cast(is_first, tf.int32)) - 1
        word_ends = tf.math.segment_max(ends, words)
        is_long = tf.gather(
            _is_long_word(
                tf.gather(normalized, tf.boolean_mask(rows, is_first)),
                tf.boolean_mask(starts, is_first),
                word_ends,
            ),
            words,
        )
        ids = tf.where(is_long, self.unk_id, ids)
        ends = tf.where(is_long, tf.gather(word_ends, words), ends)
        # Until here words were counted through the batch.
        words -= tf.gather(tf.math.segment_min(words, rows), rows)
        kept = is_first | ~is_long
        rows = tf.boolean_mask(rows, kept)
        num_rows = tf.size(normalized, tf.int64)
        return Pieces(
            *(
                tf.RaggedTensor.from_value_rowids(
                    # Validation would take as long as all of the rest.
                    tf.boolean_mask(part, kept),
                    rows,
                    num_rows,
                    validate=False,
                )
                for part in (ids, starts, ends, words)
            )
        )

    def _align(
        self, pieces: Pieces, texts: tf.Tensor, changed_rows: tf.Tensor
    ) -> Pieces:
        """Maps offsets from the normalised text back to the text as given."""
        starts, ends, row_starts = self._sources(tf.gather(texts, changed_rows))
        # Where each row's sources begin; -1 for rows that did not change.
        row_starts = tf.tensor_scatter_nd_update(
            tf.fill([pieces.ids.nrows()], -1),
            changed_rows[:, tf.newaxis],
            row_starts,
        )
        base = tf.gather(row_starts, pieces.ids.value_rowids())
        moved = tf.where(base >= 0)
        base = tf.gather_nd(base, moved)
        first = base + tf.gather_nd(pieces.starts.values, moved)
        after = base + tf.gather_nd(pieces.ends.values, moved)
        # What was removed after a piece lies before the next byte's source.
        # A piece may also end inside of what one character became.
        new_ends = tf.maximum(
            tf.gather(ends, after - 1), tf.gather(starts, after)
        )
        return pieces._replace(
            starts=_update(pieces.starts, moved, tf.gather(starts, first)),
            ends=_update(pieces.ends, moved, new_ends),
        )

    def _sources(
        self, texts: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Where each byte of the normalised texts comes from.

        Returns:
            The first byte (inclusive) and the last (exclusive) of the
            character that each byte of the normalised texts comes from, and
            where each text begins in these; a text is followed by one entry
            for its end. All int32.
        """
        chars, starts = tf.strings.unicode_split_with_offsets(
            texts, "UTF-8", errors="ignore"
        )
        starts = tf.cast(starts, tf.int32)
        ends = starts + tf.strings.length(chars)
        # A normalised text is as long as its characters' normal forms: they
        # may change their order, and a final sigma its form, not its length.
        distinct, indices = tf.unique(chars.values)
        sizes = chars.with_values(
            tf.gather(tf.strings.length(self._clean(distinct)), indices)
        )
        text_ends = tf.strings.length(texts)[:, tf.newaxis]
        sizes = tf.concat([sizes, tf.ones_like(text_ends)], axis=1)
        repeats = sizes.values
        return (
            tf.repeat(tf.concat([starts, text_ends], 1).values, repeats),
            tf.repeat(tf.concat([ends, text_ends], 1).values, repeats),
            tf.cumsum(tf.reduce_sum(sizes, axis=1), exclusive=True),
        )


def read_vocab(path: str) -> list[str]:
    """The lines of a vocabulary file."""
    with tf.io.gfile.GFile(path, "rb") as file:
        lines = file.read().decode("utf-8").rstrip().split("\n")
    return [line.strip() for line in lines]


def character_offsets(text: str, byte_offsets: Sequence[int]) -> list[int]:
    """Turns UTF-8 byte offsets into a text into character offsets."""
    encoded = text.encode("utf-8")
    return [len(encoded[:offset].decode("utf-8")) for offset in byte_offsets]


def _check_vocab(vocab: tuple[str, ...]) -> None:
    missing = [token for token in SPECIAL_TOKENS if token not in vocab]
    if missing:
        raise ValueError(
            f"The vocabulary of {len(vocab)} entries lacks {missing}; it must "
            f"hold all of {list(SPECIAL_TOKENS)}."
        )
    if len(vocab) == len(SPECIAL_TOKENS):
        raise ValueError("The vocabulary holds nothing but special tokens.")
    first_index = {}
    for index, token in enumerate(vocab):
        if not token:
            raise ValueError(f"Entry {index} of the vocabulary is empty.")
        if token in first_index:
            raise ValueError(
                f"The vocabulary holds {token!r} twice, as entries "
                f"{first_index[token]} and {index}."
            )
        first_index[token] = index


@functools.lru_cache(maxsize=8)
def _wordpiece_tokenizer(
    vocab: tuple[str, ...],
) -> tf_text.FastWordpieceTokenizer:
    """One for all tokenizers of a vocabulary: it takes a while to make."""
    return tf_text.FastWordpieceTokenizer(
        list(vocab),
        token_out_type=tf.int32,
        max_bytes_per_word=4 * _MAX_WORD_LENGTH,
    )


def _as_strings(texts: tf.Tensor) -> tf.Tensor:
    texts = tf.convert_to_tensor(texts, tf.string)
    if texts.shape.rank != 1:
        raise ValueError(
            f"Texts must be a batch (rank 1), got shape {texts.shape}."
        )
    return texts


def _is_long_word(
    texts: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor
) -> tf.Tensor:
    """Whether words, given as a text and two bytes in it, are overlong."""
    is_long = ends - starts > _MAX_WORD_LENGTH
    candidates = tf.where(is_long)
    starts = tf.gather_nd(starts, candidates)
    words = tf.strings.substr(
        tf.gather_nd(texts, candidates),
        starts,
        tf.gather_nd(ends, candidates) - starts,
    )
    lengths = tf.strings.length(words, unit="UTF8_CHAR")
    return tf.tensor_scatter_nd_update(
        is_long, candidates, lengths > _MAX_WORD_LENGTH
    )


def _update(
    ragged: tf.RaggedTensor, indices: tf.Tensor, updates: tf.Tensor
) -> tf.RaggedTensor:
    return ragged.with_values(
        tf.tensor_scatter_nd_update(ragged.values, indices, updates)
    )
