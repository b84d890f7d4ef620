"""Counts the words of its input: `pyexec run examples/word-count -- --top 3 < text`."""
import argparse
import sys

from counting import most_common
from report import table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--top", type=int, default=10, help="how many words to show")
    options = parser.parse_args()
    print(table(most_common(sys.stdin, options.top)))


if __name__ == "__main__":
    main()
