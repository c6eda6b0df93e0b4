import dataclasses
import math

from absl.testing import absltest

from electra_tf import config
from electra_tf import html_page
from electra_tf import metric_sections
from electra_tf import presets
from electra_tf import run_record
from tests import page_reading

_METRICS = {"loss": 9.5, "masked_lm_loss": 2.9, "disc_auc": 0.8}


def _run(*entries, **changes) -> run_record.Run:
    run_config = dataclasses.replace(presets.get("small"), **changes)
    contents = {"kind": "pretraining", "config": config.to_dict(run_config)}
    return run_record.Run(path="run", contents=contents, entries=entries)


def _train(step, **metrics):
    return {"kind": "train", "step": step} | metrics


def _eval(step, **metrics):
    return {"kind": "eval", "step": step} | metrics


def _read(*parts) -> page_reading.Page:
    return page_reading.read(html_page.join(*parts))


class MetricSectionsTest(absltest.TestCase):
    def test_tiles_show_held_out_values_and_rates(self):
        run = _run(
            _train(10, loss=30.0, replaced_share=0.125, examples_per_second=4),
            _eval(10, loss=31.0),
        )
        text = metric_sections.tiles(run)
        for number, label in (
            ("31", "total loss, held out"),
            ("12.5 %", "tokens replaced"),
            ("4", "examples a second (median)"),
            # 10 steps of 128 examples.
            ("5 min 20 s", "of training steps"),
        ):
            self.assertIn(f"<b>{number}</b><span>{label}</span>", text)

    def test_a_whole_run_is_judged(self):
        run = _run(_train(10, loss=44.0), _eval(1_000_000, **_METRICS))
        section = metric_sections.expectations(run)
        page = page_reading.read(section)
        self.assertEqual(
            page_reading.rows(page, "metric"),
            {
                "loss": ["44", "9.5", "44.98", "9–10", "as expected"],
                "masked_lm_loss": ["–", "2.9", "10.33", "2.3–2.82", "worse"],
                # Theirs are measured otherwise.
                "disc_auc": ["–", "0.8", "0.5", "0.94–0.98 †", ""],
            },
        )
        self.assertNotIn("No verdict", page.text)
        self.assertIn("44.98 by chance", page.text)
        self.assertIn("about 25 after 5,000 steps", page.text)
        published = page_reading.rows(page, "published run")
        name = "ConvBERT-small Spanish"
        (row,) = (row for key, row in published.items() if name in key)
        self.assertEqual(row, ["1M", "9.12", "2.303", "0.9405"])

    def test_a_short_or_other_run_is_not_judged(self):
        run = _run(_train(600, **_METRICS), disc_weight=10.0)
        page = _read(metric_sections.expectations(run))
        self.assertIn(
            "No verdict from these ranges: they are for the end of training, "
            "1,000,000 steps, not 600; they are for the preset small, and "
            "this run differs in disc_weight.",
            page.text,
        )
        self.assertNotIn("verdict", page.tables[0][0])
        # ln 30522 + 10 ln 2 = 17.26.
        self.assertEqual(
            page_reading.rows(page, "metric")["loss"],
            ["9.5", "–", "17.26", "9–10"],
        )
        self.assertNotIn("about 25 after", page.text)

    def test_without_metrics_nothing_is_expected(self):
        self.assertIsNone(metric_sections.expectations(_run()))
        self.assertEmpty(metric_sections.charts([_run()], ["run"]))

    def test_every_metric_has_a_chart_with_its_last_values(self):
        run = _run(
            _train(1, loss=3.0, mcc=1.0, learning_rate=0.1),
            _train(2, loss=math.nan, learning_rate=0.5),
            _eval(2, loss=2.5, broken=math.nan),
        )
        page = _read(metric_sections.charts([run], ["run"]))
        self.assertEqual(page.elements.count("svg"), 3)
        self.assertIn(
            "loss by step; at the end training nan, held out 2.5", page.text
        )
        self.assertIn("mcc by step; at the end training 1", page.text)
        self.assertNotIn("broken", page.text)
        for group in ("Losses", "Optimization", "Other"):
            self.assertIn(group, page.text)

    def test_runs_stand_side_by_side(self):
        runs = [
            _run(_train(2, loss=3.0, gradient_norm=2.0), _eval(2, loss=3.5)),
            _run(_train(2, loss=4.0, disc_auc=0.9)),
            _run(_train(2, loss=2.0, disc_auc=0.7, gradient_norm=1.0)),
        ]
        table = metric_sections.final_table(runs, ["a", "b", "c"])
        self.assertEqual(
            page_reading.read(table).tables,
            [
                [
                    ["metric", "a", "b", "c"],
                    ["loss, held out", "3.5", "–", "–"],
                    ["loss", "3", "4", "2"],
                    ["disc_auc", "–", "0.9", "0.7"],
                    ["gradient_norm", "2", "–", "1"],
                ]
            ],
        )
        # The best of each row that has a better.
        for best in ("2", "0.9"):
            self.assertIn(f"<strong>{best}</strong>", table)
        self.assertEqual(table.count("<strong>"), 2)

    def test_each_run_has_a_colour_and_a_switch(self):
        runs = [_run(_train(n, loss=1.0), _eval(n, loss=1.0)) for n in (1, 2)]
        charts = html_page.join(metric_sections.charts(runs, ["<a>", "b"]))
        for color in ("c0", "c0 dashed", "c1", "c1 dashed"):
            self.assertEqual(charts.count(f'class="curve {color}"'), 1)
        legend = metric_sections.legend(runs, ["<a>", "b"])
        page = page_reading.read(legend)
        self.assertIn("<a>", page.text)
        self.assertEqual(legend.count('type="checkbox"'), 2)
        single = metric_sections.legend(runs[:1], ["a"])
        self.assertNotIn("checkbox", single)


if __name__ == "__main__":
    absltest.main()
