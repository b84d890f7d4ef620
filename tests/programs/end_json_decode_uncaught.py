import json



def load_all(texts):
    for n, text in enumerate(texts):
        try:
            yield n, json.loads(text)
        except json.JSONDecodeError as e:
            yield n, f"{e.msg} at {e.pos}"


for n, value in load_all(["[1]", "{'a'}", "tru", '"ok"']):
    print(n, value)
GOOD = '{"id": 1, "tags": ["a"]}'
BAD = '{"id": 2, "tags": ["a",]}'
for text in (GOOD, BAD):
    print("parsing", len(text), "characters")
    record = json.loads(text)
    print(record["id"], record["tags"])
print("unreachable")
