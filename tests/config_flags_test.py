import dataclasses
import json
import os
from typing import Literal

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import config
from electra_tf import config_flags
from tests import testing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    """One field of each type.

    Attributes:
        count: How many.
        share: How much of
            it all.
        name: What it is called.
        is_on: Whether it is on.
        kind: Which of two.
        limit: At most; None for no limit.
    """

    count: int = 1
    share: float = 0.5
    name: str = "x"
    is_on: bool = False
    kind: Literal["a", "b"] = "a"
    limit: float | None = None


@dataclasses.dataclass
class Undocumented:
    """A field without help.

    Attributes:
        known: Has a help text.
    """

    known: int = 1
    unknown: int = 2


def _parse(*arguments, config_class=Example):
    values = flags.FlagValues()
    config_flags.define(config_class, flag_values=values)
    values(["program", *arguments])
    return values


class DefineTest(absltest.TestCase):
    def test_the_help_is_the_docstrings_entry_in_one_line(self):
        self.assertEqual(
            config_flags.field_helps(Example)["share"], "How much of it all."
        )
        self.assertStartsWith(
            _parse()["share"].help, "How much of it all. (default: 0.5"
        )

    def test_every_field_of_a_run_has_a_flag_with_help(self):
        values = _parse(config_class=config.PretrainConfig)
        for field in dataclasses.fields(config.PretrainConfig):
            # Longer than the default value in parentheses alone.
            self.assertRegex(
                values[field.name].help, r"^[<\w].{9,} \(default: "
            )

    def test_a_field_without_help_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "Undocumented .* in unknown"):
            _parse(config_class=Undocumented)

    def test_a_value_of_another_type_is_refused(self):
        with self.assertRaisesRegex(flags.IllegalFlagValueError, "--count"):
            _parse("--count=many")

    def test_a_value_out_of_a_list_is_refused(self):
        with self.assertRaisesRegex(
            flags.IllegalFlagValueError, "should be one of <a|b>"
        ):
            _parse("--kind=c")

    def test_an_unknown_flag_is_refused(self):
        with self.assertRaisesRegex(flags.UnrecognizedFlagError, "cuont"):
            _parse("--cuont=2")


class OverrideTest(parameterized.TestCase):
    def _file(self, contents) -> str:
        path = os.path.join(self.create_tempdir(), "config.json")
        with open(path, "w") as file:
            file.write(contents)
        return f"--config={path}"

    def test_nothing_given_leaves_the_base(self):
        base = Example(count=5, share=0.25)
        self.assertEqual(config_flags.override(base, _parse()), base)

    def test_a_flag_overrides_the_base_with_a_typed_value(self):
        values = _parse(
            "--count=3", "--share=1e-3", "--is_on", "--kind=b", "--limit=2"
        )
        self.assertEqual(
            config_flags.override(Example(name="y"), values),
            Example(
                count=3, share=0.001, name="y", is_on=True, kind="b", limit=2.0
            ),
        )

    def test_a_flag_with_the_default_value_overrides_the_base(self):
        merged = config_flags.override(
            Example(count=5, is_on=True), _parse("--count=1", "--nois_on")
        )
        self.assertEqual(merged, Example(count=1, is_on=False))

    def test_a_flag_goes_before_the_file_and_the_file_before_the_base(self):
        path = self._file('{"count": 2, "share": 0.2}')
        merged = config_flags.override(
            Example(count=1, share=0.1, name="base"), _parse(path, "--count=3")
        )
        self.assertEqual(merged, Example(count=3, share=0.2, name="base"))

    def test_the_file_may_be_that_of_a_model_folder(self):
        contents = {"kind": "pretraining", "config": {"count": 2}}
        path = self._file(json.dumps(contents))
        merged = config_flags.override(Example(), _parse(path))
        self.assertEqual(merged, Example(count=2))

    @parameterized.parameters(
        ("not json", "Cannot read --config="),
        ('{"cuont": 2}', "Example has no field cuont"),
    )
    def test_a_file_that_is_no_configuration_is_refused(self, contents, error):
        values = _parse(self._file(contents))
        with self.assertRaisesRegex(flags.Error, error):
            config_flags.override(Example(), values)

    def test_a_missing_file_is_refused(self):
        values = _parse("--config=/no/such/file.json")
        with self.assertRaisesRegex(flags.Error, "/no/such/file.json"):
            config_flags.override(Example(), values)

    def test_what_the_configuration_refuses_is_a_flag_error(self):
        values = _parse("--mask_prob=2", config_class=config.PretrainConfig)
        with self.assertRaisesRegex(flags.Error, "mask_prob must be in"):
            config_flags.override(testing.tiny_config(), values)

    def test_it_tells_which_fields_were_given(self):
        values = _parse(self._file('{"share": 0.5}'), "--count=1")
        given = [
            field.name
            for field in dataclasses.fields(Example)
            if config_flags.given(field.name, values)
        ]
        self.assertEqual(given, ["count", "share"])


if __name__ == "__main__":
    absltest.main()
