import sys


class Cleanup:
    def __enter__(self):
        print("enter")
        return self

    def __exit__(self, *exc):
        print("exit", exc[0].__name__, exc[1].code)


def main(argv):
    print("args", argv[1:])
    with Cleanup():
        try:
            if len(argv) == 1:
                sys.exit(3)
        except Exception:
            print("SystemExit is not an Exception")
        finally:
            print("finally")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
