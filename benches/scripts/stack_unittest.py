import io
import unittest


class Stack:
    def __init__(self, items=()):
        self._items = list(items)

    def push(self, item):
        self._items.append(item)

    def pop(self):
        if not self._items:
            raise IndexError("pop from empty stack")
        return self._items.pop()

    def peek(self):
        return self._items[-1] if self._items else None

    def __len__(self):
        return len(self._items)


class StackTest(unittest.TestCase):
    def setUp(self):
        self.stack = Stack([1, 2, 3])

    def test_push_and_pop(self):
        self.stack.push("x")
        self.assertEqual(self.stack.pop(), "x")
        self.assertEqual(len(self.stack), 3)

    def test_pop_empty_raises(self):
        with self.assertRaisesRegex(IndexError, "empty"):
            Stack().pop()

    def test_peek(self):
        for items, expected in (((), None), (("a",), "a"), ((1, 2), 2)):
            with self.subTest(items=items):
                self.assertEqual(Stack(items).peek(), expected)


suite = unittest.defaultTestLoader.loadTestsFromTestCase(StackTest)
result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=2).run(suite)
print(f"{result.testsRun} tests:", "OK" if result.wasSuccessful() else "FAILED")
