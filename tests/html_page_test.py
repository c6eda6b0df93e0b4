from absl.testing import absltest

from electra_tf import html_page
from tests import page_reading

tag = html_page.tag
_EVIL = """<script>alert("1")</script> & 'x'"""
_SAFE = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#x27;x&#x27;"


class HtmlPageTest(absltest.TestCase):
    def test_elements_nest_and_nothing_is_left_out_but_none(self):
        self.assertEqual(
            tag("p", "a", None, [tag("b", 1), " ", 0.5], class_="x", id=None),
            '<p class="x">a<b>1</b> 0.5</p>',
        )

    def test_texts_and_attributes_are_escaped(self):
        self.assertEqual(
            tag("p", _EVIL, title=_EVIL), f'<p title="{_SAFE}">{_SAFE}</p>'
        )
        self.assertEqual(
            tag("p", data_x=1, for_="y"), '<p data-x="1" for="y"></p>'
        )

    def test_a_table_names_its_rows_and_columns(self):
        table = html_page.table(["a", "b"], [["x", 1], [_EVIL, 2]], numeric=[1])
        page = page_reading.read(table)
        self.assertEqual(page.tables, [[["a", "b"], ["x", "1"], [_EVIL, "2"]]])
        self.assertIn('<td class="number">1</td>', table)
        self.assertIn('<th scope="row">x</th>', table)

    def test_a_document_is_whole_and_loads_nothing(self):
        text = html_page.document(
            _EVIL, html_page.section("A", "b"), html_page.tiles([("1", "c")])
        )
        page_reading.read(text)
        self.assertStartsWith(text, '<!DOCTYPE html>\n<html lang="en">')
        self.assertIn(f"<title>{_SAFE}</title>", text)
        self.assertIn("default-src 'none'".replace("'", "&#x27;"), text)
        self.assertEmpty(page_reading.loads(text))


if __name__ == "__main__":
    absltest.main()
