"""Editing of lines where there is no terminal: a history, and settings that nobody makes use of."""
backend = "readline"

_history, _settings = [], {"completer": None, "delimiters": " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?", "length": -1, "auto": True}


def add_history(string, /):
    _history.append(str(string))


def clear_history():
    _history.clear()


def get_current_history_length():
    return len(_history)


def get_history_item(index, /):
    return _history[index - 1] if 0 < index <= len(_history) else None


def remove_history_item(pos, /):
    if pos < 0:
        raise ValueError("History index cannot be negative")
    if pos >= len(_history):
        raise ValueError(f"No history item at position {pos}")
    del _history[pos]


def replace_history_item(pos, line, /):
    if pos < 0:
        raise ValueError("History index cannot be negative")
    if pos >= len(_history):
        raise ValueError(f"No history item at position {pos}")
    _history[pos] = line


def get_history_length():
    return _settings["length"]


def set_history_length(length, /):
    _settings["length"] = length


def set_auto_history(enabled, /):
    _settings["auto"] = bool(enabled)


def _history_file(filename):
    import os

    return os.path.expanduser("~/.history") if filename is None else filename


def read_history_file(filename=None, /):
    with open(_history_file(filename), encoding="utf-8", errors="surrogateescape") as file:
        _history.extend(file.read().splitlines())


def write_history_file(filename=None, /):
    length = _settings["length"]
    with open(_history_file(filename), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{line}\n" for line in (_history if length < 0 else _history[len(_history) - length:]))


def append_history_file(nelements, filename=None, /):
    with open(_history_file(filename), "a", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{line}\n" for line in _history[-nelements:] if nelements)


def set_completer(function=None, /):
    _settings["completer"] = function


def get_completer():
    return _settings["completer"]


def set_completer_delims(string, /):
    _settings["delimiters"] = string


def get_completer_delims():
    return _settings["delimiters"]


def get_line_buffer():
    return ""


def get_begidx():
    return 0


def get_endidx():
    return 0


def get_completion_type():
    return 0


def _ignore(*arguments):
    """There is no line to edit."""


parse_and_bind = read_init_file = insert_text = redisplay = set_startup_hook = set_pre_input_hook = _ignore
set_completion_display_matches_hook = _ignore
