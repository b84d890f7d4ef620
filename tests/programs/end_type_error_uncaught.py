def summarize(*values, sep=", "):
    return sep.join(values)


print(summarize("a", "b"))
print(summarize("x", sep=""))
calls = [(("a",), {}), (("a",), {"sepp": "-"}), ((1,), {})]
for args, kwargs in calls:
    try:
        print(summarize(*args, **kwargs))
    except TypeError as e:
        print("TypeError:", e)
summarize("total:", 10, "items")
