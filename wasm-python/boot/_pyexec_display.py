"""Shows objects as a notebook does: in all the formats that they have, each as text by its media type.

Sessions of both tiers have it: it needs Python 3.10. Nothing here is used by a job that is not a session.
"""
import sys

import _pyexec_cell
import _pyexec_tier

# In the order of IPython, whose protocol this is.
METHODS = (
    ("text/html", "_repr_html_"),
    ("text/markdown", "_repr_markdown_"),
    ("image/svg+xml", "_repr_svg_"),
    ("image/png", "_repr_png_"),
    ("application/pdf", "_repr_pdf_"),
    ("image/jpeg", "_repr_jpeg_"),
    ("text/latex", "_repr_latex_"),
    ("application/json", "_repr_json_"),
    ("application/javascript", "_repr_javascript_"),
)
# Objects that have whatever they are asked for have this, too.
CANARY = "_ipython_canary_method_should_not_exist_"
# Of one object in all its formats; the host takes no longer ones.
BYTES_MAX = 8 << 20
DETAILS_BYTES_MAX = 64 << 10
# Have no format but text.
PLAIN = frozenset((bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, type(None)))


def display(*objects, include=None, exclude=None, metadata=None, raw=False, display_id=None, **_):
    """Shows objects in all the formats that they have."""
    for value in objects:
        if raw:
            formats, details = dict(value), {}
        else:
            found = formats_of(value, include, exclude)
            if found is None:
                continue
            formats, details = found
            if is_wanted("text/plain", include, exclude) and "text/plain" not in formats:
                text = attempted(repr, value)
                if text is not None:
                    formats["text/plain"] = text
        if formats:
            tell(formats, {**details, **(metadata or {})}, False)
    return Handle(display_id) if display_id else None


class Handle:
    """What `display` returns where it is given an id."""

    def __init__(self, display_id):
        self.display_id = "" if display_id is True else display_id

    def display(self, value, **options):
        display(value, **options)

    update = display


def show_value(value):
    """Shows the value of a call; its `repr` is told elsewhere, once."""
    if type(value) not in PLAIN:
        found = formats_of(value, None, None)
        if found is None:
            tell({}, {}, True)
        elif found[0]:
            tell(*found, True)


def formats_of(value, include, exclude):
    """What an object has beside its `repr`, and details of that; None when it has shown itself."""
    if isinstance(value, type) or attempted(hasattr, value, CANARY):
        return {}, {}
    shows_itself = method_of(value, "_ipython_display_")
    if shows_itself is not None and attempted(lambda: (shows_itself(), True)[1]):
        return None
    formats, details = {}, {}
    bundle = method_of(value, "_repr_mimebundle_")
    if bundle is not None:
        add_bundle(attempted(lambda: bundle(include=include, exclude=exclude)), formats, details)
        formats = {kind: data for kind, data in formats.items() if is_wanted(kind, include, exclude)}
    for kind, name in METHODS:
        if kind in formats or not is_wanted(kind, include, exclude):
            continue
        method = method_of(value, name)
        data = attempted(figure_as_png, value) if method is None and kind == "image/png" else attempted(method)
        if isinstance(data, tuple) and len(data) == 2:
            data, details[kind] = data
        if data is not None:
            formats[kind] = data
    return formats, details


def add_bundle(found, formats, details):
    if isinstance(found, tuple) and len(found) == 2:
        found, more = found
        details.update(more or {})
    if isinstance(found, dict):
        formats.update(found)


def is_wanted(kind, include, exclude):
    return not (include and kind not in include or exclude and kind in exclude)


def method_of(value, name):
    method = attempted(getattr, value, name, None)
    return method if callable(method) else None


def figure_as_png(value):
    figures = sys.modules.get("matplotlib.figure")
    if figures is None or not isinstance(value, figures.Figure):
        return None
    import io

    data = io.BytesIO()
    value.savefig(data, format="png")
    return data.getvalue()


def attempted(function, *args):
    """What a function returns; an exception is shown, and is None, as is no function."""
    if function is None:
        return None
    try:
        return function(*args)
    except NotImplementedError:
        return None
    except Exception as error:
        import traceback

        _pyexec_cell.hide_frames(error, "")
        traceback.print_exception(error)
        return None


def tell(formats, details, is_result):
    import json

    encoded = {}
    for kind, data in formats.items():
        text = attempted(as_json, kind, data)
        if text is not None:
            encoded[printable(str(kind))] = text
    while sum(map(len, encoded.values())) > BYTES_MAX:
        kind = max(encoded, key=lambda kind: len(encoded[kind]))
        print(f"pyexec: {kind} of {len(encoded.pop(kind)):,} bytes is left out: {BYTES_MAX:,} are shown", file=sys.stderr)
    if formats and not encoded:
        return
    try:
        more = json.dumps(details, allow_nan=False) if details else "{}"
    except (TypeError, ValueError, RecursionError):
        more = "{}"
    for file in (sys.stdout, sys.stderr):
        if file is not None and not file.closed:
            file.flush()
    if len(more) > DETAILS_BYTES_MAX:
        more = "{}"
    formats = ",".join(f"{json.dumps(kind)}:{text}" for kind, text in encoded.items())
    flag = "true" if is_result else "false"
    _pyexec_tier.show(f'{{"data":{{{formats}}},"metadata":{more},"is_result":{flag}}}')


def as_json(kind, data):
    """Bytes are text in base64; only of JSON the data may be something else."""
    import json

    if isinstance(data, (bytes, bytearray, memoryview)):
        import binascii

        data = binascii.b2a_base64(data, newline=False).decode()
    elif isinstance(data, str):
        data = printable(data)
    elif not str(kind).endswith("json"):
        data = printable(str(data))
    return json.dumps(data, allow_nan=False)


def printable(text):
    return text.encode("utf-8", "backslashreplace").decode()
