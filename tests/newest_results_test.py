"""Tests of which lines of a results file are chosen."""

import json

from absl.testing import absltest

from benchmarks import newest_results


def _line(benchmark="speed", command=("speed.py",), **figures):
    return {
        "benchmark": benchmark,
        "date": "2026-11-28",
        "machine": {},
        "command": list(command),
        "figures": figures,
    }


class NewestResultsTest(absltest.TestCase):
    def write(self, text):
        return self.create_tempfile("results.jsonl", text).full_path

    def newest(self, lines, **settings):
        chosen = newest_results.newest(lines, "speed", settings)
        return [line["figures"]["rate"] for line in chosen]

    def test_lines_are_read_in_their_order(self):
        lines = [_line(rate=1), _line(rate=2)]
        path = self.write("".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(newest_results.read(path), lines)

    def test_a_line_that_is_not_json_is_told_by_its_number(self):
        path = self.write(json.dumps(_line()) + '\n{"benchmark": \n')
        with self.assertRaisesRegex(ValueError, f"^{path}, line 2 is not JSON"):
            newest_results.read(path)

    def test_a_line_that_is_no_result_tells_what_it_lacks(self):
        path = self.write('{"benchmark": "speed", "machine": {}, "date": ""}')
        with self.assertRaisesRegex(
            ValueError, "line 1 .* it lacks command, figures"
        ):
            newest_results.read(path)
        with self.assertRaisesRegex(ValueError, "line 1 .* lacks benchmark"):
            newest_results.read(self.write("3"))

    def test_there_must_be_a_file(self):
        path = self.create_tempdir().full_path + "/results.jsonl"
        with self.assertRaisesRegex(ValueError, f"There is no file '{path}'"):
            newest_results.read(path)

    def test_of_each_kind_the_newest_is_chosen(self):
        lines = [
            _line(rate=1, preset="small"),
            _line(rate=2, preset="base"),
            _line("memory", rate=3, preset="small"),
            _line(rate=4, preset="small"),
        ]
        self.assertEqual(self.newest(lines, preset="small"), [2, 4])
        self.assertEqual(self.newest(lines), [4])

    def test_what_figures_do_not_tell_the_command_does(self):
        program = "speed.py"
        lines = [
            _line(rate=1, command=(program, "--precision=bfloat16")),
            _line(rate=2, command=(program, "--precision", "bfloat16")),
            _line(rate=3, command=(program, "--results=precision")),
            _line(rate=4, command=(program, "--precision=float32")),
        ]
        # The first two are of one kind, and so are the others: the default.
        self.assertEqual(self.newest(lines, precision="float32"), [2, 4])

    def test_figures_of_settings_come_before_the_command(self):
        line = _line(
            command=("speed.py", "--batch_size=8"), settings={"batch_size": 16}
        )
        self.assertEqual(newest_results.setting(line, "batch_size", 32), 16)

    def test_parts_become_lines_of_their_own(self):
        other = _line(rate=1)
        both = _line(preset="tiny", sections={"lengths": [1, 2], "depths": [3]})
        lengths, depths, same = newest_results.parts([both, other], "sections")
        self.assertEqual(
            lengths["figures"],
            {"preset": "tiny", "part": "lengths", "rows": [1, 2]},
        )
        self.assertEqual(depths["figures"]["rows"], [3])
        self.assertEqual(depths["command"], ["speed.py"])
        self.assertEqual(same, other)


if __name__ == "__main__":
    absltest.main()
