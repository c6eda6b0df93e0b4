"""Tests of the files of the page."""

import base64
import hashlib
import pathlib

from absl.testing import absltest

from electra_tf.serving import page_files


class PageFilesTest(absltest.TestCase):
    def _folder(self, **files: str) -> pathlib.Path:
        folder = pathlib.Path(self.create_tempdir().full_path)
        for name, text in files.items():
            path = folder / name.replace("_", ".")
            path.write_bytes(text.encode())
        return folder

    def test_only_files_of_known_types_are_served(self):
        folder = self._folder(index_html="<p>", page_js="1", notes_md="x")
        (folder / "more").mkdir()
        files = page_files.load(folder)
        self.assertCountEqual(files, ["/", "/index.html", "/page.js"])
        self.assertEqual(files["/"].content, b"<p>")
        self.assertEqual(
            files["/page.js"].headers["Content-Type"],
            "text/javascript; charset=utf-8",
        )

    def test_without_a_folder_there_are_none(self):
        folder = self._folder() / "missing"
        self.assertEmpty(page_files.load(folder))

    def test_the_policy_names_what_is_written_in_the_page(self):
        html = "<style>p {}</style><SCRIPT type='x'>\r\nf()</SCRIPT>"
        headers = page_files.load(self._folder(index_html=html))["/"].headers
        policy = headers["Content-Security-Policy"].split("; ")

        def source(text):
            digest = hashlib.sha256(text.encode()).digest()
            return f"'sha256-{base64.b64encode(digest).decode()}'"

        self.assertIn("default-src 'none'", policy)
        self.assertIn(f"script-src 'self' {source(chr(10) + 'f()')}", policy)
        self.assertIn(f"style-src 'self' {source('p {}')}", policy)


if __name__ == "__main__":
    absltest.main()
