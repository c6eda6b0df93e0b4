import dataclasses

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import config
from electra_tf import dataset_info
from electra_tf import presets
from electra_tf import run_record
from electra_tf import run_sections
from tests import page_reading
from tests import testing
from tests import tiny_data


def _run(run_config=None, *, steps=(), **contents) -> run_record.Run:
    run_config = run_config or testing.tiny_config()
    entries = [
        {"kind": "train", "step": step, "examples_per_second": 10.0}
        for step in steps
    ]
    return run_record.Run(
        path="run",
        contents={"kind": "pretraining", "config": config.to_dict(run_config)}
        | contents,
        entries=entries,
    )


def _preset(name: str, **changes) -> config.PretrainConfig:
    return dataclasses.replace(presets.get(name), **changes)


class RunSectionsTest(parameterized.TestCase):
    @parameterized.parameters(
        (["x", "--preset=base"], "small", "base"),
        (["x", "--preset=gone"], "small", "small"),
        (["x"], "large", "large"),
        ([], "bert_base", "bert_base"),
    )
    def test_the_preset_is_that_of_the_command_or_the_nearest(
        self, command, like, expected
    ):
        run = _run(_preset(like, vocab_size=8192), command=command)
        name, changed = run_sections.nearest_preset(run)
        self.assertEqual(name, expected)
        self.assertIn("vocab_size", changed)

    def test_what_was_changed_is_shown_and_marked(self):
        run = _run(_preset("small", mask_prob=0.25, freeze=".*bias"))
        text = run_sections.configuration(run)
        page = page_reading.read(text)
        self.assertEqual(
            page_reading.rows(page, "changed"),
            {"mask_prob": ["0.25", "0.15"], "freeze": [".*bias", '""']},
        )
        settings = page_reading.rows(page, "setting")
        self.assertLen(settings, len(run.settings))
        self.assertEqual(settings["hidden_size"], ["256"])
        self.assertEqual(settings["jit_compile"], ["none"])
        self.assertEqual(text.count("<mark>"), 2)
        self.assertIn("GLUE dev 79.9", page.text)

    def test_a_preset_as_it_is_has_no_changes(self):
        text = run_sections.configuration(_run(presets.get("base")))
        self.assertIn("No setting differs from the preset.", text)
        self.assertNotIn("<mark>", text)

    def test_settings_that_differ_between_runs(self):
        data = {"num_examples": 9, "examples_per_thousand": 1000}
        runs = [
            _run(seed=0, data=[data | {"fingerprint": f"{number}" * 16}])
            for number in (1, 2)
        ]
        runs.append(_run(testing.tiny_config(seed=5)))
        names = ["a", "b", "c"]
        page = page_reading.read(run_sections.differences(runs, names))
        self.assertEqual(
            page_reading.rows(page, "setting"),
            {
                "seed": ["0", "0", "5"],
                "data": [
                    "9 examples (11111111), 1000 of 1,000",
                    "9 examples (22222222), 1000 of 1,000",
                    "",
                ],
            },
        )
        text = run_sections.differences(runs[:1] * 2, names[:2])
        self.assertIn("the same configuration and data", text)

    def test_data_is_described_as_far_as_it_is_there(self):
        path = tiny_data.write(
            self.create_tempdir().full_path,
            counts={"documents": 1234, "tokens": 4000, "unknown_tokens": 3},
            source=["<script>corpus.txt"],
            length_counts={"1-4": 1, "5-8": 3},
        )
        entry = {
            "data_dir": path,
            "num_examples": 4,
            "fingerprint": dataset_info.load(path).fingerprint,
            "examples_per_thousand": 500,
        }
        gone = entry | {"data_dir": path + "/gone"}
        changed = entry | {"fingerprint": "another"}
        run = _run(steps=[3], data=[entry, gone, changed])
        text = run_sections.data(run)
        page = page_reading.read(text)
        # 3 steps of 4 examples, half of them from each of these 4.
        self.assertEqual(page.text.count("1.50"), 3)
        for fact in (
            "1,234",
            "0.075 %",  # 3 / 4,000.
            "<script>corpus.txt",
            "5-8 tokens75.0 %",
        ):
            self.assertIn(fact, page.text)
        self.assertIn("width:33.3%", text)
        self.assertEqual(page.text.count("no longer at this path"), 2)
        self.assertIsNone(run_sections.data(_run()))

    def test_size_and_speed(self):
        run = _run(presets.get("small"), steps=[100, 200])
        page = page_reading.read(run_sections.compute(run))
        self.assertEqual(
            page_reading.rows(page, "parameters of"),
            {
                "electra": ["13,483,008"],
                "generator": ["608,064"],
                "generator_predictions": ["39,098"],
                "discriminator_predictions": ["66,049"],
                "together": ["14,196,219"],
            },
        )
        self.assertIn("published for the preset1.400e+18 FLOPs", page.text)
        # 10 examples of 128 tokens.
        self.assertIn("tokens a second1,280", page.text)
        self.assertNotIn("of a peak", page.text)

    def test_the_share_of_the_peak(self):
        # 10 examples a second; see throughput_test for the FLOPs of one.
        run_config = testing.tiny_config(objective="mlm")
        head = 2 * 3 * 16 * (32 + run_config.vocab_size)
        example = 3 * (2 * 24 * (2 * 9_728 + 16 * 32) + head)
        run_config = dataclasses.replace(run_config, peak_flops=40.0 * example)
        page = page_reading.read(
            run_sections.compute(_run(run_config, steps=[1]))
        )
        self.assertRegex(page.text, r"of a peak of [\d.]+ MFLOP/s25.0 %")
        self.assertNotIn("published for", page.text)

    def test_where_it_comes_from(self):
        run = _run(
            command=["run.py", "--model_dir=a b"],
            versions={"tensorflow": "2.20.0"},
            hardware="2 x <GPU>",
        )
        page = page_reading.read(run_sections.origin(run))
        for fact in (
            "hardware2 x <GPU>",
            "tensorflow2.20.0",
            "commandrun.py '--model_dir=a b'",
        ):
            self.assertIn(fact, page.text)
        self.assertNotIn("hardware", run_sections.origin(_run()))


if __name__ == "__main__":
    absltest.main()
