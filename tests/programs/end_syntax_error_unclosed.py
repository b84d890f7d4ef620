SETTINGS = {
    "name": "demo",
    "values": [1, 2, 3,
    "nested": {"a": 1},
}


def main():
    for key in SETTINGS:
        print(key)


main()
