import warnings


def old_api():
    warnings.warn("old_api() is deprecated", DeprecationWarning, stacklevel=2)
    return 1


@warnings.deprecated("use New instead", category=FutureWarning)
class Old:
    pass


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old_api()
    old_api()
    Old()
    warnings.warn("custom", UserWarning)
    eval("1 is 1")
for w in caught:
    print(w.category.__name__, "|", w.message, "|", w.lineno if w.filename == __file__ else w.filename)

with warnings.catch_warnings():
    warnings.simplefilter("error")
    for fn in (old_api, Old):
        try:
            fn()
        except Warning as e:
            print("raised", type(e).__name__, e)

with warnings.catch_warnings(record=True) as caught:
    warnings.resetwarnings()
    warnings.filterwarnings("ignore", message="skip.*")
    warnings.filterwarnings("error", category=RuntimeWarning)
    warnings.warn("skip this")
    warnings.warn("keep this")
    try:
        warnings.warn("boom", RuntimeWarning)
    except RuntimeWarning as e:
        print("RuntimeWarning raised:", e)
print([str(w.message) for w in caught])

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("once")
    for i in range(3):
        warnings.warn("same text")
print(len(caught))


class TeamWarning(UserWarning):
    pass


print(warnings.formatwarning("text", TeamWarning, "mod.py", 7, "source line"), end="")
seen = []
warnings.showwarning = lambda message, category, filename, lineno, file=None, line=None: seen.append((category.__name__, str(message)))
warnings.simplefilter("always")
warnings.warn(TeamWarning("hooked"))
print(seen, issubclass(TeamWarning, Warning))
