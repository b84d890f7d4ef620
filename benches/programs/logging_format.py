"""Logging: records with and without arguments formatted into a text stream."""

import io
import logging

ROUNDS = 6500
MESSAGE = "some important information to be logged"
FORMAT = "important: %s"


def make_logger(stream):
    # A logger of its own, kept out of the global tree.
    logger = logging.Logger("bench", logging.WARNING)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
    logger.addHandler(handler)
    return logger, handler


def bench() -> object:
    stream = io.StringIO()
    logger, handler = make_logger(stream)
    for i in range(ROUNDS):
        logger.warning(FORMAT, MESSAGE)
        logger.warning(MESSAGE)
        logger.error("%s took %d ms (%.2f%%)", "request", i, i / 100)
        logger.warning("%(user)s did %(what)s", {"user": "alice", "what": "log in"})
        logger.warning(FORMAT, MESSAGE)
        logger.critical(FORMAT, i)
        logger.debug(FORMAT, MESSAGE)
        logger.info("%s %s", i, MESSAGE)
        logger.log(logging.WARNING, FORMAT, MESSAGE)
        logger.warning("plain text")
    logger.removeHandler(handler)
    handler.close()
    text = stream.getvalue()
    return text.count("\n"), len(text), text.rsplit("\n", 3)[1]


if __name__ == "__main__":
    print(bench())
