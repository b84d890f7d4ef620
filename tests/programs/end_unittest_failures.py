import unittest


def slug(text):
    return "-".join(text.lower().split())


class SlugTests(unittest.TestCase):
    def test_simple(self):
        print("running simple")
        self.assertEqual(slug("Hello World"), "hello-world")

    def test_punctuation(self):
        print("running punctuation")
        self.assertEqual(slug("Hello, World!"), "hello-world")

    def test_none(self):
        print("running none")
        slug(None)

    @unittest.skipIf(True, "skipped on purpose")
    def test_skipped(self):
        self.fail("never")


if __name__ == "__main__":
    unittest.main()
