"""Tests of what is drawn of results, read from matplotlib's axes."""

from absl.testing import absltest
from matplotlib import figure

from benchmarks import result_figures


def _line(benchmark, **figures):
    return {
        "benchmark": benchmark,
        "date": "2026-11-28",
        "machine": {},
        "command": [f"{benchmark}.py"],
        "figures": figures,
    }


def _peers(own, peer, **figures):
    """Of ours and one other, which takes turns with it."""
    rows = [
        {"implementation": "own", "examples_per_s": own, "times_as_fast": None},
        {
            "implementation": "hf_fused",
            "examples_per_s": peer,
            "times_as_fast": own / peer,
        },
    ]
    return _line("peers", rows=rows, **figures)


def _training(forward, backward, optimizer, **figures):
    phases = {
        "input": 0.016,
        "forward": forward,
        "backward": backward,
        "optimizer": optimizer,
    }
    settings = dict(stage="pretraining", batch_size=32, phases=phases)
    return _line("training", **settings | figures)


def _scaling(**costs):
    return _line(
        "scaling",
        sections={
            section: [
                {"value": value, "ms_per_example": cost, "times_flops": value}
                for value, cost in of_section.items()
            ]
            for section, of_section in costs.items()
        },
    )


def _inference(batch_size, own, peer=None):
    row = {
        "way": "encode_ids",
        "batch_size": batch_size,
        "own": {"sentences_per_s": own},
    }
    if peer is not None:
        row["peer"] = {"sentences_per_s": peer}
        row["times_as_fast"] = own / peer
    return row


def _input(rates, **figures):
    """Of batches of 32 and 128, each from the beginning and a late step."""
    rows = [
        {
            "batch_size": size,
            "start_step": step,
            "examples_per_s": rates[size, step],
            "first_batch_s": rates[size, step] / 1e5,
        }
        for size in (32, 128)
        for step in (0, 1000)
    ]
    settings = dict(num_folders=1, target_examples_per_s=10_000, rows=rows)
    return _line("input", **settings | figures)


def _draw(lines, file):
    """The axes of a file's panels."""
    panels = result_figures.panels(lines)[file]
    axes = figure.Figure().subplots(1, len(panels), squeeze=False)[0]
    for each, panel in zip(axes, panels, strict=True):
        panel(each)
    return axes


def _heights(axes):
    """Of the bars, by color or phase."""
    return [[bar.get_height() for bar in group] for group in axes.containers]


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def _labels(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


class ResultFiguresTest(absltest.TestCase):
    def test_bars_of_peers_are_their_rates_with_ratios(self):
        (axes,) = _draw([_peers(12.0, 8.0)], "peers.png")
        self.assertEqual(_heights(axes), [[12.0, 8.0]])
        self.assertEqual(_texts(axes), ["12.0", "8.0\n1.50 x"])
        self.assertEqual(_labels(axes), ["own", "hf\nfused"])
        self.assertEqual(axes.get_title(), "pretraining, small, float32")

    def test_each_kind_of_work_and_precision_has_a_panel(self):
        axes = _draw(
            [
                _peers(1.0, 2.0, settings={"precision": "float32"}),
                _peers(3.0, 2.0, settings={"precision": "bfloat16"}),
                _peers(4.0, 2.0, work="finetuning"),
                _peers(5.0, 2.0, settings={"precision": "float32"}),
            ],
            "peers.png",
        )
        self.assertEqual(
            {each.get_title(): _heights(each)[0][0] for each in axes},
            {
                "pretraining, small, bfloat16": 3.0,
                "finetuning, small, float32": 4.0,
                "pretraining, small, float32": 5.0,
            },
        )

    def test_phases_are_stacked_up_to_the_step_of_an_example(self):
        (axes,) = _draw(
            [
                _training(0.32, 0.64, 0.032),
                _training(0.16, 0.32, 0.032, precision="bfloat16"),
            ],
            "training_phases.png",
        )
        forward, backward, optimizer = axes.containers
        # 0.32 s for a batch of 32 are 10 ms an example.
        self.assertEqual(
            _heights(axes), [[10.0, 5.0], [20.0, 10.0], [1.0, 1.0]]
        )
        self.assertEqual([bar.get_y() for bar in backward], [10.0, 5.0])
        self.assertEqual([bar.get_y() for bar in optimizer], [30.0, 15.0])
        (inputs,) = axes.lines
        self.assertEqual(list(inputs.get_ydata()), [0.5, 0.5])
        self.assertEqual(
            _labels(axes),
            [
                "pretraining\nsmall, float32\nbatch 32",
                "pretraining\nsmall, bfloat16\nbatch 32",
            ],
        )

    def test_a_newer_training_without_phases_does_not_hide_an_older_one(self):
        (axes,) = _draw(
            [_training(0.32, 0.64, 0.032), _training(0, 0, 0, phases={})],
            "training_phases.png",
        )
        self.assertEqual(_heights(axes), [[10.0], [20.0], [1.0]])

    def test_costs_are_beside_those_of_flops(self):
        (axes,) = _draw([_scaling(lengths={1: 3.0, 2: 7.0})], "scaling.png")
        measured, expected = axes.lines
        self.assertEqual(list(measured.get_xdata()), [1, 2])
        self.assertEqual(list(measured.get_ydata()), [3.0, 7.0])
        self.assertEqual(list(expected.get_ydata()), [3.0, 6.0])
        self.assertEqual(axes.get_xlabel(), "lengths")

    def test_of_each_section_the_newest_is_drawn(self):
        axes = _draw(
            [
                _scaling(lengths={1: 3.0}, depths={1: 4.0}),
                _scaling(lengths={1: 5.0}),
            ],
            "scaling.png",
        )
        self.assertEqual(
            {each.get_xlabel(): each.lines[0].get_ydata()[0] for each in axes},
            {"depths": 4.0, "lengths": 5.0},
        )

    def test_inference_has_a_panel_for_each_size_of_batches(self):
        rows = [_inference(1, 50.0, 40.0), _inference(32, 120.0, 160.0)]
        single, many = _draw([_line("inference", rows=rows)], "inference.png")
        self.assertEqual(_heights(single), [[50.0], [40.0]])
        self.assertEqual(_texts(single), ["1.25 x"])
        self.assertEqual(_heights(many), [[120.0], [160.0]])
        self.assertEqual(_texts(many), ["0.75 x"])
        self.assertEqual(many.get_title(), "small, float32, batches of 32")

    def test_inference_without_a_peer_has_only_our_bars(self):
        rows = [_inference(1, 50.0)]
        (axes,) = _draw([_line("inference", rows=rows)], "inference.png")
        self.assertEqual(_heights(axes), [[50.0]])

    def test_rates_of_the_input_are_beside_the_target(self):
        rates = {(32, 0): 8e4, (32, 1000): 7e4, (128, 0): 9e4, (128, 1000): 6e4}
        rate, first_batch = _draw([_input(rates)], "input.png")
        # A group of bars for each first step, of batches of 32 and 128.
        self.assertEqual(_heights(rate), [[8e4, 9e4], [7e4, 6e4]])
        self.assertEqual(_texts(rate), ["80,000", "90,000", "70,000", "60,000"])
        self.assertEqual(_labels(rate), ["32", "128"])
        (target,) = rate.lines
        self.assertEqual(list(target.get_ydata()), [10_000, 10_000])
        self.assertEqual(_heights(first_batch), [[0.8, 0.9], [0.7, 0.6]])

    def test_what_cannot_be_drawn_is_named(self):
        lines = [_line("serving"), _training(0, 0, 0, phases={}), _peers(2, 1)]
        self.assertEqual(
            result_figures.not_drawn(lines),
            {
                "serving": "there is no figure of it",
                "training": "no line has phases",
            },
        )
        self.assertEqual(list(result_figures.panels(lines)), ["peers.png"])


if __name__ == "__main__":
    absltest.main()
