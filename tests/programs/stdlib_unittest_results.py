import io
import re
import sys
import unittest
from unittest import mock


class MathTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print("setUpClass")

    def setUp(self):
        self.addCleanup(print, "cleanup", self._testMethodName)

    def test_add(self):
        self.assertEqual(1 + 1, 2)

    def test_fail(self):
        self.assertEqual([1, 2, 3], [1, 2, 4], "lists differ")

    def test_error(self):
        raise KeyError("oops")

    @unittest.skip("not today")
    def test_skip(self):
        pass

    @unittest.expectedFailure
    def test_expected(self):
        self.assertTrue(False)

    def test_subtests(self):
        for i in range(4):
            with self.subTest(i=i):
                self.assertLess(i, 3)

    def test_raises(self):
        with self.assertRaisesRegex(ValueError, "invalid literal"):
            int("x")
        self.assertAlmostEqual(0.1 + 0.2, 0.3)
        self.assertCountEqual([3, 1], [1, 3])

    def test_mock(self):
        m = mock.Mock(return_value=5)
        m.side_effect = [1, 2, ValueError("end")]
        self.assertEqual([m(1), m(k=2)], [1, 2])
        m.assert_has_calls([mock.call(1), mock.call(k=2)])
        with mock.patch("os.getcwd", return_value="/fake"):
            import os
            print(os.getcwd(), m.call_count, m.mock_calls)


stream = io.StringIO()
suite = unittest.defaultTestLoader.loadTestsFromTestCase(MathTests)
result = unittest.TextTestRunner(stream=stream, verbosity=2).run(suite)
text = re.sub(r"in [\d.]+s", "in Xs", stream.getvalue())
text = re.sub(r'File ".*[/\\]', 'File "', text)
print(text)
print(result.testsRun, len(result.failures), len(result.errors), len(result.skipped), len(result.expectedFailures), result.wasSuccessful())
