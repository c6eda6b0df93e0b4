import json
import math
import re

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import line_charts
from tests import page_reading


def _chart(*series: line_charts.Series) -> str:
    chart = line_charts.chart(series, label="a label")
    page_reading.read(chart)
    return chart


class LineChartsTest(parameterized.TestCase):
    def test_points_lie_where_the_axes_say(self):
        # 280 by 150: steps 0 to 100 from 46 to 270, values 0 to 10 from the
        # line at 128 up to 8.
        chart = _chart(
            line_charts.Series("x", [(0, 0.0), (50, 5.0), (100, 10)])
        )
        self.assertIn('d="M46.0 128.0L158.0 68.0L270.0 8.0"', chart)
        self.assertEqual(
            re.findall(r'class="x" x="([\d.]+)" y="143">(\w+)<', chart),
            [("46.0", "0"), ("102.0", "25"), ("158.0", "50")]
            + [("214.0", "75"), ("270.0", "100")],
        )

    def test_held_out_points_are_marked_and_dashed(self):
        points = [(1, 1.0), (2, 2.0), (3, 4.0)]
        chart = _chart(
            line_charts.Series("a", points),
            line_charts.Series("b", points, 1, True),
        )
        line, dashed = re.findall(r'<g class="([^"]+)".*?</g>', chart)
        self.assertEqual((line, dashed), ("curve c0", "curve c1 dashed"))
        self.assertLen(re.findall("<circle", chart), 1 + 3)

    def test_of_many_held_out_points_some_are_marked(self):
        points = [(step, float(step)) for step in range(1, 201)]
        chart = _chart(line_charts.Series("x", points, 0, True))
        marks = re.findall('<circle cx="([^"]*)"', chart)
        self.assertLen(marks, 20)
        self.assertEqual(marks[-1], "270.0")

    def test_a_value_that_is_not_finite_is_a_gap(self):
        points = [(0, 0.0), (25, math.nan), (50, math.inf), (100, 10.0)]
        chart = _chart(line_charts.Series("x", points))
        self.assertIn('d="M46.0 128.0M270.0 8.0"', chart)

    def test_one_point_and_equal_values_can_be_drawn(self):
        self.assertIn("<circle", _chart(line_charts.Series("x", [(0, 0.0)])))
        chart = _chart(line_charts.Series("x", [(0, 3.0), (10, 3.0)]))
        self.assertIn('d="M46.0 68.0L270.0 68.0"', chart)

    def test_the_read_out_has_names_steps_and_values(self):
        chart = _chart(line_charts.Series('"<b>', [(0, 0.0), (1000, 12345.6)]))
        data = re.search('data-series="([^"]*)"', chart)[1]
        self.assertNotIn("<", data)
        self.assertEqual(
            json.loads(
                data.replace("&quot;", '"')
                .replace("&lt;", "<")
                .replace("&gt;", ">")
            ),
            [
                {
                    "name": '"<b>',
                    "color": 0,
                    "points": [[46.0, 0, "0"], [270.0, 1000, "12,346"]],
                }
            ],
        )

    def test_long_curves_keep_their_extremes_and_their_end(self):
        points = [(step, math.sin(step)) for step in range(100_000)]
        points[71_234] = (71_234, 50.0)
        points[71_235] = (71_235, -50.0)
        thinned = line_charts.thinned(points)
        self.assertLessEqual(len(thinned), 301)
        self.assertContainsSubset(
            [(71_234, 50.0), (71_235, -50.0), points[-1]], thinned
        )
        self.assertEqual(thinned, sorted(thinned))
        self.assertEqual(line_charts.thinned(points[:300]), points[:300])

    @parameterized.parameters(
        (0, 100, False, [0, 25, 50, 75, 100]),
        (0, 30_000, False, [0, 10_000, 20_000, 30_000]),
        (0.0283, 0.0702, False, [0.04, 0.06]),
        (0.0283, 0.0702, True, [0.02, 0.04, 0.06, 0.08]),
        (-1, 1, False, [-1, -0.5, 0, 0.5, 1]),
    )
    def test_ticks_are_round(self, low, high, beyond, expected):
        ticks = line_charts.ticks(low, high, most=4, beyond=beyond)
        self.assertEqual(ticks, expected)


if __name__ == "__main__":
    absltest.main()
