"""The page in a browser, with models whose answers are known.

    make test-browser

It needs Chromium: `apt-get install chromium`.
"""

from absl.testing import absltest
import pytest

from electra_tf.serving import serving_server
from tests.browser import page_driver
from tests.browser import page_models

pytestmark = pytest.mark.browser

_POLL_MS = 5000
_FAMILY = "👩‍👩‍👧"
# Twenty, none of which the models know.
_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen twenty"
)


class PageBrowserTest(page_driver.PageTestCase):
    def test_tokens_have_their_probabilities_in_any_script(self):
        self.open("words", "discriminate")
        self.ask(text=f"a bad {_FAMILY} שלום bad! 深度 <img src=bad>")
        # The model reads words between spaces; the page's are smaller.
        self.assertEqual(
            self.tokens(),
            [("a", 0.1), ("bad", 0.9), (_FAMILY, 0.1), ("שלום", 0.1)]
            + [("bad", 0.9), ("!", 0.9), ("深度", 0.1)]
            + [("<", 0.1), ("img", 0.1), ("src", 0.9), ("=", 0.9)]
            + [("bad", 0.9), (">", 0.9)],
        )
        self.assertEqual(
            self.summary(), "7 of 13 words and signs are called replaced."
        )
        # Places in characters; the family are three and two joiners.
        self.assertEqual(
            self.texts("tbody tr"),
            ["bad\t90.0 %\t2–5", "bad!\t90.0 %\t17–21"]
            + ["src=bad>\t90.0 %\t30–38"],
        )
        self.page.locator(".answer .word").nth(1).hover()
        tip = self.page.evaluate(
            "getComputedStyle(document.querySelectorAll('.answer .word')[1], "
            "'::after').content"
        )
        self.assertEqual(tip, '"90.0 % replaced"')

    def test_tips_do_not_make_the_page_wider(self):
        self.open("words", "discriminate")
        self.page.set_viewport_size({"width": 420, "height": 700})
        self.ask(text=_WORDS)
        for word in self.page.locator(".answer .word").all():
            word.hover()
            width = self.page.evaluate("document.documentElement.scrollWidth")
            self.assertEqual(width, 420)

    def test_hebrew_words_run_from_right_to_left(self):
        self.open("words", "discriminate")
        for text, places in (
            ("שלום bad עולם", (2, 1, 0)),
            # In a line of English, only the Hebrew part does.
            ("bad שלום עולם", (0, 2, 1)),
        ):
            self.ask(text=text)
            lefts = [
                word.bounding_box()["x"]
                for word in self.page.locator(".answer .text .word").all()
            ]
            order = sorted(range(3), key=lambda i: lefts[i])
            self.assertEqual([order.index(i) for i in range(3)], list(places))

    def test_the_threshold_says_which_words_are_called_replaced(self):
        self.open("words", "discriminate")
        self.ask(text="a bad cat")
        for threshold, called in (
            ("50", ["bad"]),
            ("91", []),
            ("10", ["a", "bad", "cat"]),
        ):
            self.page.fill("#threshold", threshold)
            self.assertEqual(self.texts(".answer .text .called"), called)
            self.assertLen(self.texts("tbody tr"), len(called))

    def test_words_that_are_not_read_are_crossed_out(self):
        self.open("words", "discriminate")
        self.ask(text=_WORDS + " and more")
        self.assertEqual(page_models.MAX_WORDS, 20)
        self.assertEqual(self.texts(".answer .unread"), ["and", "more"])

    def test_words_are_replaced_by_hand_and_come_back(self):
        self.open("words", "discriminate")
        self.ask(text="the bad cat sat 👍🏽")
        self.replace("cat", "bad")
        self.assertEqual(self.words(), ["the", "bad", "bad", "sat", "👍🏽"])
        self.assertEqual(self.signs(), "!✓")
        self.replace("sat", "stood up")
        self.assertEqual(self.words()[2:], ["bad", "stood", " ", "up", "👍🏽"])
        self.assertEqual(
            self.summary(),
            "2 words replaced: 1 found, 1 missed, 1 false alarm.",
        )
        self.press("cat → bad ↺")
        self.assertEqual(self.signs(), "!✗")
        # Typing the original is no replacement.
        self.replace("stood", "sat")
        self.assertEqual(self.words(), ["the", "bad", "cat", "sat", "👍🏽"])
        self.assertEqual(self.signs(), "")
        self.replace("the", "a")
        self.press("Reset")
        self.assertEqual(self.words(), ["the", "bad", "cat", "sat", "👍🏽"])

    def test_words_are_replaced_without_a_mouse(self):
        self.open("words", "discriminate")
        self.ask(text="the cat sat")
        self.page.locator(".answer .word").first.focus()
        for key in ("ArrowRight", "End", "ArrowLeft", "Enter"):
            self.page.keyboard.press(key)
        self.page.keyboard.type("dog")
        self.page.keyboard.press("Escape")
        self.assertEqual(self.words(), ["the", "cat", "sat"])
        self.assertEqual(
            self.page.evaluate("document.activeElement.innerText"), "cat"
        )
        self.page.keyboard.press("Enter")
        self.page.keyboard.type("bad dog")
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".answer .replaced")
        self.assertEqual("".join(self.words()), "thebad dogsat")

    def test_the_generator_corrupts_a_share_of_the_words(self):
        self.open("words", "discriminate")
        self.ask(text=_WORDS)
        self.page.fill("#share", "25")
        seen = []
        for name in ("Corrupt", "Corrupt", "Next seed"):
            self.press(name)
            words = self.words()
            new = [
                word
                for word, old in zip(words, _WORDS.split(), strict=True)
                if word != old
            ]
            # A quarter of twenty; "##x", "[SEP]" and "!" are no words.
            self.assertLen(new, 5)
            self.assertContainsSubset(new, ["bad", "good"])
            num_bad = new.count("bad")
            self.assertEqual(
                self.summary(),
                f"5 words masked, 5 replaced: {num_bad} found, "
                f"{5 - num_bad} missed, 0 false alarms.",
            )
            seen.append(words)
        self.assertEqual(seen[0], seen[1])
        self.assertNotEqual(seen[0], seen[2])

    def test_a_word_that_the_generator_guesses_is_not_replaced(self):
        self.open("words", "discriminate")
        self.ask(text="good " * 20)
        self.page.fill("#share", "100")
        self.press("Corrupt")
        num_bad = self.words().count("bad")
        self.assertBetween(num_bad, 1, 19)
        self.assertEqual(
            self.summary(),
            f"20 words masked, {num_bad} replaced: {num_bad} found, "
            "0 missed, 0 false alarms.",
        )
        self.assertLen(self.texts(".answer .text .masked"), 20 - num_bad)

    def test_candidates_are_put_in_the_place_of_their_mask(self):
        self.open("words", "fill_mask")
        self.ask(text="A [MASK] 👍🏽 wor [MASK] end")
        rows = ["bad", "40.0 %", "##x", "25.0 %", "good", "20.0 %"]
        rows += ["[SEP]", "10.0 %", "!", "5.0 %"]
        self.assertEqual(self.texts(".candidate, .answer .number"), rows + rows)
        text = self.page.locator("[name=text]")
        self.page.get_by_role("button", name="##x").nth(1).click()
        self.wait()
        self.assertEqual(text.input_value(), "A [MASK] 👍🏽 worx end")
        self.press("good")
        self.assertEqual(text.input_value(), "A good 👍🏽 worx end")
        self.assertIn("has no [MASK]", self.page.inner_text(".answer"))

    def test_the_longest_bar_is_the_likeliest_candidate(self):
        self.open("words", "fill_mask")
        self.ask(text="[MASK]")
        full, half = (
            self.page.locator(".bar").nth(i).bounding_box()["width"]
            for i in (0, 2)
        )
        # 0.2 of 0.4.
        self.assertAlmostEqual(half / full, 0.5, places=2)

    def test_texts_are_scored_and_the_likeliest_comes_first(self):
        self.open("words", "score")
        self.ask(text="four letters\n\na cat")
        # Minus one for each letter: 1 + 3, and 4 + 7.
        self.assertEqual(
            self.texts(".summary"),
            ["-4.00 nats, -2.00 per token", "-11.00 nats, -5.50 per token"],
        )
        self.assertEqual(
            self.page.get_attribute(".word >> nth=3", "data-tip"),
            "-7.000 nats",
        )

    def test_labels_and_scores_are_shown(self):
        self.open("pairs", "label")
        self.ask(text_a="à", text_b="à")
        self.assertEqual(self.summary(), "good")
        self.assertEqual(
            self.texts(".bars .name, .bars .number"),
            ["neutral", "20.0 %", "good", "80.0 %"],
        )
        self.page.select_option("#models", "lengths")
        self.page.wait_for_selector("[name=text_a]:only-of-type")
        self.ask(text_a="שלום")
        self.assertEqual(self.summary(), "4.0000")

    def test_names_are_marked_at_their_letters(self):
        self.open("names", "tags")
        self.ask(text="👍🏽 Ada met\n אבא  today")
        self.assertEqual(self.texts(".entity .word"), ["Ada", "אבא"])
        self.assertEqual(self.summary(), "2 names in 5 words.")
        self.assertEqual(self.texts(".legend"), ["PER: 2"])
        self.page.click("details summary")
        self.assertEqual(self.texts("tbody tr")[1], "Ada\tS-PER\t75.0 %")
        self.assertEqual(
            self.page.text_content(".answer .text").replace("PER", ""),
            "👍🏽 Ada met\n אבא  today",
        )

    def test_answers_are_marked_at_their_letters(self):
        self.open("answers", "answers")
        context = f"{_FAMILY} lived in a naïve עיר"
        self.ask(question="Where?", context=context)
        self.assertEqual(self.texts("mark"), ["עיר"])
        self.assertEqual(
            self.texts(".bars button, .bars .number"),
            ["עיר", "70.0 %", _FAMILY, "30.0 %"],
        )
        self.press(_FAMILY)
        self.assertEqual(self.texts("mark"), [_FAMILY])
        self.assertEqual(self.page.text_content(".passage"), context)
        self.ask(question="Where")
        self.assertEqual(self.texts("mark"), [])
        self.assertStartsWith(self.summary(), "No answer")
        self.assertIn("no answer: 60.0 %", self.page.inner_text(".answer"))

    def test_any_signature_can_be_asked_in_json(self):
        self.open("words", "discriminate")
        self.page.get_by_role("tab", name="JSON").press("ArrowLeft")
        self.page.get_by_role("tab", name="Score texts").press("ArrowRight")
        self.page.select_option("#signature", "fill_mask")
        self.ask(inputs='{"text": ["[MASK]", ""]}')
        self.assertIn('"mask"', self.page.inner_text("pre"))
        self.page.fill("[name=inputs]", '{"text": ')
        self.page.get_by_role("button", name="Ask").click()
        alert = self.page.locator(".card .trouble")
        self.assertStartsWith(alert.inner_text(), "The inputs are not JSON: ")

    def test_errors_of_the_server_are_shown_until_it_answers(self):
        self.open("words", "discriminate")
        self.page.fill("[name=text]", "fail")
        self.page.get_by_role("button", name="Ask").click()
        alert = self.page.locator(".card .trouble")
        alert.wait_for()
        self.assertIn("This text always fails.", alert.inner_text())
        self.assertEqual(self.page.inner_text(".answer"), "")
        self.ask(text="a cat")
        self.assertFalse(alert.is_visible())
        self.assertEqual(self.words(), ["a", "cat"])
        self.forget_refusals(1)

    def test_a_server_that_is_down_is_said_to_be(self):
        self.page.clock.install()
        server = serving_server.Server({"words": self.paths["words"]})
        server.start()
        self.addCleanup(server.stop)
        self.open("words", "discriminate", server)
        banner = self.page.locator("#trouble")
        self.assertFalse(banner.is_visible())
        server.stop()
        self.page.clock.fast_forward(_POLL_MS)
        banner.wait_for()
        self.assertIn("does not answer. Is it run", banner.inner_text())
        again = serving_server.Server(
            {"words": self.paths["words"]}, rest_port=server.rest_port
        )
        again.start()
        self.addCleanup(again.stop)
        self.page.clock.fast_forward(_POLL_MS)
        banner.wait_for(state="hidden")
        self.forget_refusals(1)

    def test_of_overlapping_requests_the_newest_is_shown(self):
        self.open("words", "discriminate")
        held, failed = [], []
        self.page.on("requestfailed", lambda request: failed.append(request))

        def hold_first(route):
            if held:
                route.continue_()
            else:
                held.append(route)

        self.page.route("**/*:predict", hold_first)
        self.page.fill("[name=text]", "an old text")
        self.page.get_by_role("button", name="Ask").click()
        self.ask(text="a new text")
        self.assertEqual(self.words(), ["a", "new", "text"])
        # Nobody waits for the old one any more.
        self.assertEqual(failed, [held[0].request])

    def test_typing_asks_when_it_pauses(self):
        self.open("words", "discriminate")
        with self.page.expect_response("**/*:predict") as response:
            self.page.fill("[name=text]", "")
            self.page.type("[name=text]", "so bad")
        self.assertEqual(
            response.value.request.post_data_json["inputs"],
            {"text": ["so bad"]},
        )

    def test_the_last_twenty_times_are_kept(self):
        self.open("words", "fill_mask")
        labels = self.page.locator("#latency .tile")
        self.assertIn("median of 1 request", labels.all_inner_texts()[1])
        for _ in range(20):
            self.ask()
        self.assertIn("median of 20 requests", labels.all_inner_texts()[1])
        self.assertLen(self.page.locator(".columns i").all(), 20)
        self.assertRegex(labels.first.inner_text(), r"^[\d.]+ ms\n")

    def test_all_fields_have_names(self):
        for model, view in (
            ("words", "discriminate"),
            ("words", "score"),
            ("answers", "answers"),
            ("pairs", "label"),
        ):
            self.open(model, view)
            nameless = self.page.evaluate(
                "[...document.querySelectorAll('input, select, textarea')]"
                ".filter(each => !each.labels.length).length"
            )
            self.assertEqual(nameless, 0)
            # The next one is opened anew, and not by the part behind "#".
            self.page.goto("about:blank")

    def test_the_policy_keeps_the_page_from_asking_anybody_else(self):
        self.open("words", "discriminate")
        refused = self.page.evaluate(
            """async () => {
              const refused = [];
              document.addEventListener("securitypolicyviolation",
                event => refused.push(event.effectiveDirective));
              await fetch("http://127.0.0.1:9/").catch(() => null);
              document.body.setAttribute("style", "color: red");
              document.body.insertAdjacentHTML("beforeend",
                "<img src=http://127.0.0.1:9/ onerror='alert()'>");
              await new Promise(done => setTimeout(done, 100));
              return refused;
            }"""
        )
        self.assertCountEqual(
            refused,
            ["connect-src", "style-src-attr", "img-src", "script-src-attr"],
        )
        # Each is a complaint, too: other tests would notice.
        self.assertGreaterEqual(len(self.complaints), len(refused))
        self.complaints = []
        self.hosts.remove("127.0.0.1:9")  # Seen, but not let through.


if __name__ == "__main__":
    absltest.main()
