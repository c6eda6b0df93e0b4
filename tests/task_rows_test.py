"""Every row of the table of tasks, from its files to metrics and answers."""

import gzip
import json
import os
import tempfile

from absl.testing import parameterized
import tensorflow as tf

from finetune import finetuning
from finetune import readers
from finetune import registry
from finetune import task_data
from tests import testing
from tests import tiny_tasks

_MAX_ROWS = 4
_SAMPLES = ("MNLI", "MRPC", "QNLI", "QQP", "WNLI")
_GLUE = ("cola", "sst", "mrpc", "sts", "qqp", "mnli", "qnli", "rte", "wnli")
_SQUAD_FILES = {
    "squadv1": ("train-v1.1.json", "dev-v1.1.json"),
    "squad": ("train-v2.0.json", "dev-v2.0.json"),
}
_MRQA = [name for name, task in registry.TASKS.items() if task.format == "mrqa"]
_WNUT17 = (
    "wnut17train.conll",
    "emerging.dev.conll",
    "emerging.test.annotated",
)


def _copy_lines(source: str, target: str, num_lines: int):
    """The first lines of a file, in a new folder if need be."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(source, encoding="utf-8") as file:
        lines = [line for _, line in zip(range(num_lines), file)]
    with open(target, "w", encoding="utf-8") as file:
        file.writelines(lines)


def _write_glue(folder: str):
    """A header and the first rows of the official files, or of samples."""
    for name in _GLUE:
        task = registry.get(name)
        parent = "glue_samples" if task.folder in _SAMPLES else "glue"
        for split in task.files:
            # The diagnostic set is beside the folders of the tasks.
            is_diagnostic = split == "test_diagnostic"
            source = testing.real_data(
                "glue/diagnostic/diagnostic.tsv"
                if is_diagnostic
                else f"{parent}/{task.folder}/{task.files[split]}"
            )
            _copy_lines(source, task.path(folder, split), 1 + _MAX_ROWS)


def _write_tagging(folder: str):
    for name, files in (
        ("chunk", ("train.txt", "test.txt")),
        ("ner/wnut17", _WNUT17),
    ):
        for file in files:
            source = testing.real_data(name, file)
            _copy_lines(source, os.path.join(folder, name, file), 300)
    # The four columns of CoNLL-2003, and its own scheme, IOB1.
    sentence = (
        "U.N. NNP I-NP I-ORG\nofficial NN I-NP O\nEkeus NNP I-NP I-PER\n\n"
    )
    os.makedirs(os.path.join(folder, "CoNLL-2003"))
    for file in registry.get("conll2003").files.values():
        with open(os.path.join(folder, "CoNLL-2003", file), "w") as target:
            target.write(f"-DOCSTART- -X- -X- O\n\n{sentence * 3}")


def _questions(path: str) -> list[dict]:
    with open(testing.real_data("squad", path), encoding="utf-8") as file:
        articles = json.load(file)["data"]
    paragraph = articles[0]["paragraphs"][0]
    paragraph["qas"] = paragraph["qas"][:2]
    return [{"title": "", "paragraphs": [paragraph]}]


def _write_questions(folder: str):
    os.makedirs(os.path.join(folder, "SQuAD"))
    for name, sources in (
        ("squadv1", ["new_wiki-v1.1.json", "xquad-en-v1.1.json"]),
        ("squad", ["v2-train.json", "v2-dev.json"]),
    ):
        for source, file in zip(sources, _SQUAD_FILES[name], strict=True):
            with open(os.path.join(folder, "SQuAD", file), "w") as target:
                json.dump({"data": _questions(source)}, target)
    paragraphs = _questions("xquad-en-v1.1.json")[0]["paragraphs"]
    for name in _MRQA:
        for split in ("train", "dev"):
            path = registry.get(name).path(folder, split)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with gzip.open(path, "wt", encoding="utf-8") as target:
                target.write('{"header": {"dataset": "x"}}\n')
                for paragraph in paragraphs:
                    target.write(json.dumps(_as_mrqa(paragraph)) + "\n")


def _as_mrqa(paragraph: dict) -> dict:
    qas = []
    for qa in paragraph["qas"]:
        detected = [
            {
                "text": answer["text"],
                "char_spans": [
                    [
                        answer["answer_start"],
                        answer["answer_start"] + len(answer["text"]) - 1,
                    ]
                ],
            }
            for answer in qa["answers"]
        ]
        qas.append(
            {
                "qid": qa["id"],
                "question": qa["question"],
                "detected_answers": detected,
                "answers": [answer["text"] for answer in qa["answers"]],
            }
        )
    return {"context": paragraph["context"], "qas": qas}


class TaskRowsTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.source = os.path.join(directory.name, "pretrained")
        tiny_tasks.write_pretrained(cls.source)

    def test_the_groups_below_are_the_whole_table(self):
        tested = {*_GLUE, "chunk", "wnut17", "conll2003", *_SQUAD_FILES, *_MRQA}
        self.assertEqual(tested, set(registry.TASKS))

    def test_all_rows_of_mrqa_read_their_files(self):
        data_dir = self.create_tempdir().full_path
        _write_questions(data_dir)
        for name in _MRQA:
            examples = readers.read(
                registry.get(name), split="train", data_dir=data_dir
            )
            self.assertLen(examples, 2)

    @parameterized.named_parameters(
        ("glue", _GLUE, _write_glue),
        ("tagging", ("chunk", "wnut17", "conll2003"), _write_tagging),
        ("squad", ("squadv1", "squad"), _write_questions),
        ("mrqa", _MRQA[:1], _write_questions),
    )
    def test_rows_train_evaluate_and_predict(self, names, write):
        """All of a group at once, with a head for each.

        Rows of MRQA differ in nothing but the names of their files.
        """
        data_dir, output_dir = (
            self.create_tempdir().full_path for _ in range(2)
        )
        write(data_dir)
        run_config = tiny_tasks.config(
            self.source,
            task=",".join(names),
            num_train_epochs=0.3,
            eval_batch_size=32,
            max_query_length=4,
            doc_stride=8,
            joint_prediction=False,  # Such heads take long to trace.
        )
        read = task_data.Source(data_dir=data_dir).read
        results = finetuning.finetune(
            run_config, read=read, output_dir=output_dir
        )
        (trial,) = results["trials"]
        for name in names:
            data = read(name, run_config=run_config)
            for split, examples in data.examples.items():
                if split == "train":
                    continue
                label = f"{name}/{split}" if len(names) > 1 else split
                path = os.path.join(output_dir, "predictions", f"{label}.jsonl")
                with open(path) as file:
                    ids = [json.loads(line)["id"] for line in file]
                self.assertEqual(ids, [e.id for e in examples], label)
                has_metrics = label in trial["metrics"]
                self.assertEqual(has_metrics, split in data.task.dev_splits)
                if has_metrics:
                    value = trial["metrics"][label][data.task.main_metric]
                    self.assertBetween(value, -100.0, 100.0, label)


if __name__ == "__main__":
    tf.test.main()
