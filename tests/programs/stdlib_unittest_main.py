import unittest
from unittest import IsolatedAsyncioTestCase
from unittest.mock import AsyncMock, MagicMock, patch, sentinel, ANY
import asyncio


class Service:
    def __init__(self, repo):
        self.repo = repo

    async def total(self, user):
        rows = await self.repo.fetch(user)
        await asyncio.sleep(0)
        return sum(rows)


class ServiceTest(IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        print("asyncSetUp", self._testMethodName)
        self.repo = MagicMock()
        self.repo.fetch = AsyncMock(return_value=[1, 2, 3])

    async def test_total(self):
        self.assertEqual(await Service(self.repo).total("ann"), 6)
        self.repo.fetch.assert_awaited_once_with("ann")

    async def test_error(self):
        self.repo.fetch.side_effect = TimeoutError
        with self.assertRaises(TimeoutError):
            await Service(self.repo).total(ANY)


class PatchTest(unittest.TestCase):
    def test_magic(self):
        m = MagicMock()
        m.__len__.return_value = 7
        m.attr.chain().value = sentinel.thing
        self.assertEqual(len(m), 7)
        self.assertIs(m.attr.chain().value, sentinel.thing)
        print(sentinel.thing, m.attr.mock_calls)

    @patch.dict("os.environ", {"DEMO_KEY": "1"}, clear=True)
    def test_env(self):
        import os
        print(dict(os.environ))

    def test_logs(self):
        import logging
        with self.assertLogs("demo", "INFO") as cm:
            logging.getLogger("demo").warning("careful")
        print(cm.output)


if __name__ == "__main__":
    unittest.main()
