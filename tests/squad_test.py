"""Tests of the rows and readers for question answering."""

import gzip
import json
import pathlib
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from finetune import finetune_config
from finetune import readers
from finetune import registry
from finetune import squad
from finetune import task as task_lib
from finetune import task_files
from tests import testing

_CONTEXT = "They went to Paris, and to Rome."
# Characters:  0    5    10 13     20    27


def _qa(**fields):
    return {
        "id": "q1",
        "question": "Where?",
        "answers": [{"text": "Paris", "answer_start": 13}],
        "is_impossible": False,
    } | fields


def _squad(*qas, context=_CONTEXT) -> bytes:
    paragraph = {"context": context, "qas": list(qas)}
    return json.dumps({"data": [{"paragraphs": [paragraph]}]}).encode()


def _parse(content, name="squad", split="train", **arguments):
    parse = squad.parse_squad
    if registry.get(name).format == "mrqa":
        parse = squad.parse_mrqa
    return parse(
        content,
        task=registry.get(name),
        split=split,
        file_name="the.file",
        **arguments,
    )


def _mrqa_qa(**fields):
    return {
        "qid": "q1",
        "question": "Where?",
        "answers": ["Paris", "Rome"],
        "detected_answers": [
            {"text": "Paris", "char_spans": [[13, 17]]},
            {"text": "Rome", "char_spans": [[27, 30]]},
        ],
    } | fields


def _mrqa(*qas, context=_CONTEXT) -> bytes:
    header = {"header": {"dataset": "NewsQA"}}
    lines = [header, {"context": context, "qas": list(qas)}]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _compressed(content: bytes, name: str) -> bytes:
    return gzip.compress(content) if name.endswith(".gz") else content


_PARIS = task_lib.Answer("Paris", 13)
_ROME = task_lib.Answer("Rome", 27)


class RowsTest(parameterized.TestCase):
    def test_names_are_the_original_s(self):
        names = "squad squadv1 newsqa naturalqs triviaqa searchqa".split()
        self.assertContainsSubset(names, [task.name for task in squad.TASKS])

    def test_settings_are_the_paper_s(self):
        config = finetune_config.FinetuneConfig()
        for task in squad.TASKS:
            self.assertEqual(task.kind, "question_answering")
            self.assertEqual(task.num_train_epochs, 2.0)
            self.assertEqual(
                finetune_config.max_seq_length(config, [task]), 512
            )
            self.assertEqual(task.main_metric, "f1")
            self.assertEqual(task.dev_splits, ["dev"])
            self.assertEqual(task.has_impossible, task.name == "squad")

    def test_files_have_their_official_names(self):
        for name, expected in (
            ("squad", "train-v2.0.json"),
            ("squadv1", "train-v1.1.json"),
            ("newsqa", "train/NewsQA.jsonl.gz"),
        ):
            self.assertEqual(registry.get(name).files["train"], expected)


class ParseSquadTest(parameterized.TestCase):
    @parameterized.parameters(b"", b"\xef\xbb\xbf")
    def test_a_file_of_one_question_is_read(self, byte_order_mark):
        self.assertEqual(
            _parse(byte_order_mark + _squad(_qa())),
            [task_lib.Question("q1", "Where?", _CONTEXT, (_PARIS,), False)],
        )

    def test_all_answers_are_kept_and_the_first_is_learned(self):
        rome = {"text": "Rome", "answer_start": 27}
        answers = [rome, *_qa()["answers"], rome]
        for split in ("train", "dev"):
            (question,) = _parse(_squad(_qa(answers=answers)), split=split)
            self.assertEqual(question.answers, (_ROME, _PARIS, _ROME))

    def test_impossible_questions_have_no_answers(self):
        # SQuAD 2.0 tells plausible ones, too, which nothing reads.
        qa = _qa(is_impossible=True, plausible_answers=_qa()["answers"])
        (question,) = _parse(_squad(qa))
        self.assertEqual(question.answers, ())
        self.assertTrue(question.is_impossible)

    def test_squad_1_does_not_read_is_impossible(self):
        qa = _qa()
        del qa["is_impossible"]
        (question,) = _parse(_squad(qa), "squadv1")
        self.assertFalse(question.is_impossible)
        with self.assertRaisesRegex(ValueError, "there is no 'is_impossible'"):
            _parse(_squad(qa), "squad")

    def test_test_files_need_no_answers(self):
        content = _squad({"id": "q1", "question": "Where?"})
        self.assertEqual(
            _parse(content, split="test"),
            [task_lib.Question("q1", "Where?", _CONTEXT)],
        )

    @parameterized.parameters(
        ("paris", 13),  # Case does not matter,
        ("to  Paris", 10),  # nor do spaces,
        ("aris", 14),  # nor whole words,
        ("went", 4),  # nor a space before the answer.
    )
    def test_answers_are_found_as_in_the_original(self, text, start):
        answers = [{"text": text, "answer_start": start}]
        (question,) = _parse(_squad(_qa(answers=answers)))
        self.assertEqual(question.answers, ((text, start),))

    def test_an_answer_may_hold_a_no_break_space(self):
        answers = [{"text": "10\u00a0km", "answer_start": 3}]
        content = _squad(_qa(answers=answers), context="in 10\u00a0km.")
        self.assertLen(_parse(content), 1)

    @parameterized.parameters(
        ("Paris", 26),  # Another word is there.
        ("Paris", -1),
        ("Paris", 31),  # It would end behind the context.
        ("Rome. Yes", 27),
        ("", 13),
        (" ", 12),
    )
    def test_answers_that_are_not_there_are_refused(self, text, start):
        content = _squad(
            _qa(answers=[{"text": text, "answer_start": start}]), _qa(id="q2")
        )
        with self.assertRaisesRegex(
            ValueError,
            r"the\.file, data\[0\]\.paragraphs\[0\]\.qas\[0\], question 'q1': "
            f"the answer '{text}' is not in the context at character {start}"
            r"\. .*--skip_malformed_lines",
        ):
            _parse(content)
        # As in the original they do not matter for scores.
        self.assertLen(_parse(content, split="dev"), 2)

    @parameterized.parameters(
        ({"id": None}, "'id' must be str or int, got None"),
        ({"question": 1}, "'q1': 'question' must be str, got 1"),
        ({"question": "\ud800"}, "'question' holds half a character"),
        ({"answers": []}, "the question has no answer"),
        ({"answers": ["Paris"]}, "there is no 'text'"),
        ({"answers": {"text": "a"}}, "'answers' must be list"),
        (
            {"answers": [{"text": "a", "answer_start": True}]},
            "'answer_start' must be int, got True",
        ),
        ({"is_impossible": "false"}, "'is_impossible' must be bool"),
    )
    def test_wrong_fields_are_told_with_their_place(self, fields, message):
        content = _squad(_qa(id="q0"), _qa(**fields))
        with self.assertRaisesRegex(
            ValueError,
            rf"the\.file, data\[0\]\.paragraphs\[0\]\.qas\[1\].*{message}",
        ):
            _parse(content)
        (question,) = _parse(content, skip_malformed=True)
        self.assertEqual(question.id, "q0")

    @parameterized.parameters("id", "question", "answers")
    def test_missing_fields_are_told(self, name):
        qa = {key: value for key, value in _qa().items() if key != name}
        with self.assertRaisesRegex(ValueError, f"there is no '{name}'"):
            _parse(_squad(qa), split="dev")

    def test_an_id_may_be_there_once(self):
        content = _squad(_qa(), _qa(question="And then?"))
        with self.assertRaisesRegex(
            ValueError, r"qas\[1\], question 'q1': an earlier .* the same id"
        ):
            _parse(content)
        (question,) = _parse(content, skip_malformed=True)
        self.assertEqual(question.question, "Where?")

    @parameterized.parameters(
        (b"", "no JSON"),
        (b'{"data": [', "cut off"),
        (b"[" * 100_000, "no JSON"),
        (b'{"data": "\xff"}', "UTF-8"),
        (b"[]", "not an object"),
        (b"{}", "there is no 'data'"),
        (b'{"data": 1}', "'data' must be list, got 1"),
        (b'{"data": []}', "holds no questions"),
    )
    def test_files_that_cannot_be_read_are_refused(self, content, message):
        for skip_malformed in (False, True):
            with self.assertRaisesRegex(ValueError, rf"the\.file.*{message}"):
                _parse(content, skip_malformed=skip_malformed)

    def test_broken_articles_and_paragraphs_can_be_left_out(self):
        data = json.loads(_squad(_qa()))["data"]
        data = [[], {"paragraphs": [{}, *data[0]["paragraphs"]]}]
        content = json.dumps({"data": data}).encode()
        with self.assertRaisesRegex(
            ValueError, r"the\.file, data\[0\]: there is no 'paragraphs'"
        ):
            _parse(content)
        with self.assertLogs(level="WARNING") as logged:
            self.assertLen(_parse(content, skip_malformed=True), 1)
        self.assertIn(
            "data[1].paragraphs[0]: there is no 'qas'", logged.output[1]
        )
        self.assertIn("left out 2 parts", logged.output[2])


class ParseMrqaTest(parameterized.TestCase):
    def test_the_first_detected_answer_is_learned(self):
        (question,) = _parse(_mrqa(_mrqa_qa()), "newsqa")
        self.assertEqual(
            question,
            task_lib.Question("q1", "Where?", _CONTEXT, (_PARIS, _ROME)),
        )

    def test_an_answer_is_learned_at_the_first_of_its_places(self):
        detected = [{"text": "to", "char_spans": [[10, 11], [24, 25]]}]
        (question,) = _parse(
            _mrqa(_mrqa_qa(detected_answers=detected)), "newsqa"
        )
        self.assertEqual(question.answers, (("to", 10),))

    def test_scores_know_all_answers_of_the_file(self):
        qa = _mrqa_qa(answers=["Rome", "the capital", "Rome"])
        (question,) = _parse(_mrqa(qa), "newsqa", "dev")
        self.assertEqual(question.answers, (_ROME, ("the capital", -1), _ROME))
        with self.assertRaisesRegex(ValueError, "'answers' must be texts"):
            _parse(_mrqa(_mrqa_qa(answers=[{}])), "newsqa", "dev")

    def test_header_and_blank_lines_are_no_questions(self):
        lines = _mrqa(_mrqa_qa()) + b"\r\n\n" + _mrqa(_mrqa_qa(qid="q2"))
        ids = [question.id for question in _parse(lines, "newsqa")]
        self.assertEqual(ids, ["q1", "q2"])

    @parameterized.parameters(
        (b"{", "line 3: no JSON"),
        (b'"\xff"', "line 3: no JSON in UTF-8"),
        (b"[1]", "line 3: not an object"),
        (b"{}", "line 3: there is no 'qas'"),
        (b'{"qas": [{}]}', "line 3: there is no 'qid'"),
        (
            b'{"qas": [{"qid": "a", "question": "b"}]}',
            "line 3, question 'a': there is no 'context'",
        ),
    )
    def test_broken_lines_are_told_with_their_number(self, line, message):
        content = _mrqa(_mrqa_qa()) + line + b"\n"
        with self.assertRaisesRegex(ValueError, rf"the\.file, {message}"):
            _parse(content, "newsqa")
        with self.assertLogs(level="WARNING"):
            self.assertLen(_parse(content, "newsqa", skip_malformed=True), 1)

    @parameterized.parameters(
        ({"detected_answers": []}, "the question has no answer"),
        (
            {"detected_answers": [{"text": "Paris", "char_spans": [["a"]]}]},
            "'char_spans' must be pairs",
        ),
        (
            {"detected_answers": [{"text": "Rome", "char_spans": [[13, 17]]}]},
            "the answer 'Rome' is not in the context at character 13",
        ),
    )
    def test_wrong_answers_are_refused(self, fields, message):
        with self.assertRaisesRegex(
            ValueError, f"line 2, question 'q1': {message}"
        ):
            _parse(_mrqa(_mrqa_qa(**fields)), "newsqa")

    @parameterized.parameters(b"", b"\n", b'{"header": {}}\n')
    def test_files_without_questions_are_refused(self, content):
        with self.assertRaisesRegex(ValueError, "holds no questions"):
            _parse(content, "newsqa")


class ReadTest(parameterized.TestCase):
    def _write(self, name: str, content: bytes) -> str:
        folder = self.create_tempdir()
        folder.create_file(name, content, mode="wb")
        return folder.full_path

    @parameterized.parameters("dev-v2.0.json", "dev-v2.0.json.gz")
    def test_squad_is_read_from_its_folder(self, name):
        content = _squad(_qa())
        folder = self._write(f"SQuAD/{name}", _compressed(content, name))
        questions = readers.read(squad.SQUAD2, split="dev", data_dir=folder)
        self.assertEqual(questions, _parse(content, split="dev"))

    @parameterized.parameters("NewsQA.jsonl", "NewsQA.jsonl.gz")
    def test_mrqa_is_read_from_its_folder(self, name):
        content = _mrqa(_mrqa_qa())
        folder = self._write(f"MRQA/train/{name}", _compressed(content, name))
        task = registry.get("newsqa")
        self.assertEqual(
            readers.read(task, split="train", data_dir=folder),
            _parse(content, "newsqa"),
        )

    def test_a_missing_file_is_told_with_its_source(self):
        with self.assertRaisesRegex(
            ValueError, "No file '/none/SQuAD/train-v1.1.json'.*SQuAD-explorer"
        ):
            readers.read(squad.SQUAD1, split="train", data_dir="/none")

    def _read_compressed(self, content: bytes):
        folder = self._write("MRQA/dev/NewsQA.jsonl.gz", content)
        return readers.read(
            registry.get("newsqa"), split="dev", data_dir=folder
        )

    @parameterized.parameters(b"", b"no gzip", None)
    def test_broken_compressed_files_are_refused(self, content):
        if content is None:  # Cut off.
            content = gzip.compress(_mrqa(_mrqa_qa()))[:-10]
        with self.assertRaisesRegex(
            ValueError, r"NewsQA\.jsonl\.gz (is no whole gzip|holds no quest)"
        ):
            self._read_compressed(content)

    @mock.patch.object(task_files, "_FREE_BYTES", 1000)
    def test_files_that_become_far_too_large_are_refused(self):
        # A million spaces are about a thousandth of that, compressed.
        with self.assertRaisesRegex(ValueError, "over 200 times its own size"):
            self._read_compressed(gzip.compress(b" " * 10**6))


class GoldenTest(parameterized.TestCase):
    @parameterized.product(
        name=("squad", "squadv1", "newsqa"), split=("train", "dev")
    )
    def test_questions_are_the_original_s(self, name, split):
        suffix = "jsonl" if name == "newsqa" else "json"
        folder = pathlib.Path(testing.golden("squad_features"))
        content = (folder / "data" / f"{name}.{suffix}").read_bytes()
        golden = json.loads((folder / f"{name}_examples.json").read_text())
        golden = golden[split]["examples"]
        questions = _parse(content, name, split, skip_malformed=True)
        self.assertEqual(
            [(q.id, q.question) for q in questions],
            [(e["qas_id"] or e["qid"], e["question_text"]) for e in golden],
        )
        if split == "train":
            self.assertEqual(
                [(q.is_impossible, _learned(q)) for q in questions],
                [(e["is_impossible"], e["orig_answer_text"]) for e in golden],
            )

    @parameterized.parameters(
        ("v2-train.json", "squad", 1749),
        ("v2-dev.json", "squad", 794),
        ("xquad-en-v1.1.json", "squadv1", 1190),
        ("new_wiki-v1.1.json", "squadv1", 7938),
    )
    def test_real_files_have_nothing_malformed(self, file_name, name, count):
        path = pathlib.Path(testing.real_data("squad", file_name))
        self.assertLen(_parse(path.read_bytes(), name), count)


def _learned(question: task_lib.Question) -> str:
    return question.answers[0].text if question.answers else ""


if __name__ == "__main__":
    absltest.main()
