config = {"servers": {"alpha": {"port": 80}, "beta": {"host": "b.local"}}}


def port_of(name):
    return config["servers"][name]["port"]


def main():
    for name in ("alpha", "beta"):
        try:
            print(name, port_of(name))
        except IndexError:
            print("wrong handler")
        finally:
            print("checked", name)


if __name__ == "__main__":
    print("starting")
    main()
    print("unreachable")
