"""Tests of windows over contexts, on numbers of the original and by hand."""

from unittest import mock

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from finetune import context_words
from finetune import finetune_config
from finetune import registry
from finetune import squad
from finetune import task as task_lib
from finetune import window_features
from tests import shared_tokenizers
from tests import testing

_CLS, _SEP = 2, 3
_SETTINGS = ((128, 64, 64), (384, 128, 64), (64, 16, 12))
_PARSERS = {
    "squad": (squad.parse_squad, "squad.json"),
    "squadv1": (squad.parse_squad, "squadv1.json"),
    "newsqa": (squad.parse_mrqa, "newsqa.jsonl"),
}


def _ids(text: str) -> list[int]:
    return [testing.tiny_vocab().index(word) for word in text.split()]


def _make(*questions, is_training=True, tokenizer=None, **fields):
    settings = dict(max_seq_length=16, doc_stride=4, max_query_length=4)
    return window_features.make_features(
        questions,
        task=registry.get("squad"),
        tokenizer=tokenizer or shared_tokenizers.tiny(),
        run_config=finetune_config.FinetuneConfig(**settings | fields),
        is_training=is_training,
    )


def _question(question: str, context: str, answer: str = "", **fields):
    answers = ()
    if answer:
        answers = (task_lib.Answer(answer, context.index(answer)),)
    return task_lib.Question("q", question, context, answers, **fields)


class WindowFeaturesTest(tf.test.TestCase, parameterized.TestCase):
    def test_a_row_is_the_question_and_the_context(self):
        rows = _make(_question("who was it", "the  time, was on", "was"))
        self.assertAllEqual(
            rows.input_ids[0, :5], [_CLS, *_ids("who was it"), _SEP]
        )
        self.assertEqual(rows.input_ids[0, -1].numpy(), _SEP)
        self.assertAllEqual(rows.segment_ids[0], [0] * 5 + [1] * 6)
        # The comma is a token of the second word.
        self.assertAllEqual(
            rows.token_spans[0][5:-1],
            [[0, 3], [5, 9], [9, 10], [11, 14], [15, 17]],
        )
        self.assertAllEqual(
            rows.word_index[0], [-1] * 5 + [0, 1, 1, 2, 3] + [-1]
        )
        self.assertAllEqual(rows.targets["start_positions"], [8])
        self.assertAllEqual(rows.targets["end_positions"], [8])

    def test_spans_are_characters_not_bytes(self):
        rows = _make(_question("who", "é 👍 they", "they"))
        self.assertAllEqual(rows.token_spans[0][-2], [4, 8])

    def test_windows_overlap_and_know_the_best_context(self):
        # 16 - 3 - 1 = 12 tokens of context a window; starts are 4 apart.
        words = "the of and to in a is that for it as with was on be by"
        rows = _make(_question("who", words, "was on"), doc_stride=4)
        self.assertAllEqual(rows.question_index, [0, 0])
        starts = [spans[3, 0] for spans in rows.token_spans]
        self.assertAllEqual(starts, [0, words.index("in")])
        # 12 tokens from 0 and 12 from 4: up to token 7 the first one has as
        # many on its smaller side or more: min(7, 4) > min(3, 8).
        first, second = (row[3:-1] for row in rows.is_max_context)
        self.assertAllEqual(first, [True] * 8 + [False] * 4)
        self.assertAllEqual(second, [False] * 4 + [True] * 8)
        # Tokens 12 and 13 are only in the second window, at 12 - 4 + 3.
        self.assertAllEqual(rows.targets["start_positions"], [0, 11])
        self.assertAllEqual(rows.targets["end_positions"], [0, 12])

    def test_an_answer_of_part_of_a_word_is_its_tokens(self):
        rows = _make(_question("who", "the (time) was", "time"))
        # [CLS] who [SEP] the ( time ) was.
        self.assertAllEqual(rows.targets["start_positions"], [5])
        self.assertAllEqual(rows.targets["end_positions"], [5])

    def test_contexts_without_tokens_have_no_row(self):
        rows = _make(
            _question("who", " \u200b"),
            _question("who", "they"),
            _question("", ""),
        )
        self.assertAllEqual(rows.question_index, [1])

    def test_there_may_be_more_than_1000_windows(self):
        words = " ".join(["the"] * 3000 + ["time"])
        rows = _make(
            _question("who", words, "time"),
            _question("who", "the time", "time"),
            doc_stride=2,
        )
        # 12 tokens a window: (3001 - 12) / 2 = 1494.5, so 1495 more windows
        # than the first, and the answer is in the last one only.
        self.assertAllEqual(rows.question_index, [0] * 1496 + [1])
        self.assertAllEqual(
            np.flatnonzero(rows.targets["start_positions"]), [1495, 1496]
        )
        # Each token has its best context in one window.
        best = np.concatenate(
            [
                spans[is_max, 0]
                for spans, is_max in zip(
                    rows.token_spans[:-1], rows.is_max_context[:-1], strict=True
                )
            ]
        )
        self.assertAllEqual(best, 4 * np.arange(3001))

    def test_contexts_in_turn_are_tokenized_once(self):
        tokenizer = shared_tokenizers.tiny()
        contexts = [f"the time {number}" for number in range(300)]
        questions = [_question("who", text, "time") for text in contexts * 2]
        seen = []
        tokenize = tokenizer.tokenize_with_offsets

        def count(texts):
            seen.extend(texts.numpy())
            return tokenize(texts)

        with mock.patch.object(tokenizer, "tokenize_with_offsets", count):
            rows = _make(*questions, tokenizer=tokenizer)
        self.assertEqual(seen, [text.encode() for text in contexts])
        self.assertAllEqual(rows.question_index, np.arange(600))
        self.assertAllEqual(rows.input_ids[8], rows.input_ids[308])
        self.assertAllEqual(rows.input_ids[308, -2], _ids("8")[0])

    def test_no_questions_have_no_rows(self):
        rows = _make()
        self.assertEqual(rows.num_rows, 0)
        self.assertEqual(rows.token_spans, ())

    def test_only_training_rows_have_positions(self):
        question = _question("who", "the time", "time")
        rows = _make(question, is_training=False)
        self.assertAllEqual(rows.targets["start_positions"], [0])
        rows = _make(question._replace(answers=()), is_training=True)
        self.assertAllEqual(rows.targets["end_positions"], [0])

    def test_impossible_questions_point_at_cls(self):
        rows = _make(_question("who", "the time", is_impossible=True))
        for name, expected in (
            ("start_positions", 0),
            ("end_positions", 0),
            ("is_impossible", 1),
        ):
            self.assertAllEqual(rows.targets[name], [expected])
            self.assertEqual(rows.targets[name].dtype, np.int32)

    def test_an_answer_outside_of_a_window_does_not_make_it_impossible(self):
        words = " ".join(["the"] * 12 + ["time"])
        rows = _make(_question("who", words, "time"))
        self.assertAllEqual(rows.targets["start_positions"], [0, 11])
        self.assertAllEqual(rows.targets["is_impossible"], [0, 0])

    def test_part_of_a_token_is_learned_as_the_whole_word(self):
        # No tokens are those of "im", so that those of "(time)" stay.
        rows = _make(_question("who", "the (time) was", "im"))
        # [CLS] who [SEP] the ( time ) was
        self.assertAllEqual(rows.targets["start_positions"], [4])
        self.assertAllEqual(rows.targets["end_positions"], [6])

    def test_long_questions_are_cut(self):
        rows = _make(_question("who was it on by", "the"), max_query_length=3)
        self.assertAllEqual(
            rows.input_ids,
            [[_CLS, *_ids("who was it"), _SEP, *_ids("the"), _SEP]],
        )

    @parameterized.parameters(
        "  The\u00a0time\u202fwas \u200b it\u200b\r\nNa\u00efve",
        "e\u0301te\u0301 \u0301 \u4e2d\u6587 (\u0130a) \U0001f600!\u00ad x",
        "\u1e9bin\u0323 " + "a" * 300 + " \ufeffon\ufffd\x00by",
    )
    def test_words_could_be_tokenized_one_by_one(self, context):
        # That is what the original does.
        tokenizer = shared_tokenizers.tiny()
        rows = _make(
            _question("", context), tokenizer=tokenizer, max_seq_length=128
        )
        words = [context[slice(*s)] for s in context_words.spans(context)]
        ids = tokenizer.tokenize(tf.constant(words))
        self.assertAllEqual(rows.input_ids[0, 2:-1], ids.values)
        self.assertAllEqual(rows.word_index[0][2:-1], ids.value_rowids())
        spans = context_words.spans(context)
        for word, (start, end) in zip(
            rows.word_index[0][2:-1], rows.token_spans[0][2:-1], strict=True
        ):
            self.assertBetween(start, spans[word][0], end - 1)
            self.assertLessEqual(end, spans[word][1])

    def test_questions_must_leave_room(self):
        with self.assertRaisesRegex(ValueError, "'q' has 13 tokens.*no room"):
            _make(_question("a " * 20, "the"), max_query_length=13)

    @parameterized.product(
        name=("squad", "squadv1", "newsqa"),
        settings=_SETTINGS,
        is_training=(True, False),
    )
    def test_rows_are_the_original_s(self, name, settings, is_training):
        length, stride, query = settings
        split = "train" if is_training else "dev"
        mode = "train" if is_training else "eval"
        golden = np.load(
            testing.golden(
                "squad_features",
                f"{name}_len{length}_stride{stride}_query{query}_{mode}.npz",
            )
        )
        questions = _golden_questions(name, split)
        rows = _make(
            *questions,
            is_training=is_training,
            tokenizer=shared_tokenizers.real(),
            max_seq_length=length,
            doc_stride=stride,
            max_query_length=query,
        )
        self.assertAllEqual(rows.question_index, golden["example_index"])
        for key, values in (
            ("input_ids", rows.input_ids),
            ("segment_ids", rows.segment_ids),
            ("input_mask", tf.ones_like(rows.input_ids)),
        ):
            padded = values.to_tensor(0, shape=[None, length])
            self.assertAllEqual(padded, golden[key], msg=key)
        if is_training:
            for key in ("start_positions", "end_positions", "is_impossible"):
                self.assertAllEqual(rows.targets[key], golden[key], msg=key)
        else:
            self._check_maps(rows, golden)

    def _check_maps(self, rows, golden):
        for row, words in enumerate(golden["token_to_orig_map"]):
            count = len(rows.word_index[row])
            self.assertAllEqual(rows.word_index[row], words[:count])
            self.assertAllEqual(words[count:], np.full(len(words) - count, -1))
            expected = golden["token_is_max_context"][row, :count] == 1
            self.assertAllEqual(rows.is_max_context[row], expected)


def _golden_questions(name: str, split: str) -> list[task_lib.Question]:
    """Those of our reader, which are the original's: see `squad_test`."""
    parse, file_name = _PARSERS[name]
    path = testing.golden("squad_features", "data", file_name)
    with open(path, "rb") as file:
        return parse(
            file.read(),
            task=registry.get(name),
            split=split,
            skip_malformed=True,
        )


if __name__ == "__main__":
    tf.test.main()
