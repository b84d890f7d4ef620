import warnings


def legacy(x):
    warnings.warn("legacy() will be removed", DeprecationWarning, stacklevel=2)
    warnings.warn("x should be positive", RuntimeWarning)
    return abs(x)


print(legacy(-5))
print(legacy(-6))
text = "a\\d"
print(text, len(text))
warnings.simplefilter("ignore")
legacy(1)
warnings.simplefilter("always")
warnings.warn_explicit("explicit warning", UserWarning, "virtual.py", 42)
print("done")
