"""Functions of the host that a program can call: `tool(a=1)`, or `await tool(a=1)` where they were asked for as such.

Arguments and results are JSON. Calls that are awaited go to the host together, when nothing else is left to do. Where
there are threads, each may call them: whichever reads a result hands it to the one that waits for it.
"""
import itertools
import json

import _pyexec_tier

# As many as the host takes at the same time.
OUTSTANDING_MAX = 256

# The functions of the present call, by name.
_offered = {}
_numbers = itertools.count(1)
# Calls that the host does not know of yet, and the futures of all that have no result.
_unsent, _futures = [], {}
# Calls that are not awaited: their results, once they are there.
_results = {}


class ToolExecutionError(RuntimeError):
    """What a tool fails with, unless it says that it is another exception of Python's own."""


def are_offered():
    return bool(_offered)


def offer(declared, names):
    """Puts the declared tools into a namespace in place of those before: JSON of a list of {name, description, parameters,
    awaited}."""
    for name, function in _offered.items():
        # What the program has put there itself stays.
        if names.get(name) is function:
            del names[name]
    _offered.clear()
    _unsent.clear()
    for tool in json.loads(declared):
        names[tool["name"]] = _offered[tool["name"]] = _awaited(tool) if tool["awaited"] else _called(tool)
    if _offered:
        names["ToolExecutionError"] = ToolExecutionError


def _described(function, tool):
    function.__name__ = function.__qualname__ = tool["name"]
    function.__doc__ = tool.get("description")
    function.__module__ = "__main__"
    return function


def _request(tool, args, kwargs):
    if tool["name"] not in _offered:
        raise NameError(f"name {tool['name']!r} is not defined: this call has no such tool")
    parameters = list((tool.get("parameters") or {}).get("properties") or ())
    if parameters and args:
        # With a schema, positional arguments have names.
        if len(args) > len(parameters):
            raise TypeError(f"{tool['name']}() takes {len(parameters)} positional arguments but {len(args)} were given")
        twice = [name for name in parameters[: len(args)] if name in kwargs]
        if twice:
            raise TypeError(f"{tool['name']}() got multiple values for argument {twice[0]!r}")
        args, kwargs = (), {**dict(zip(parameters, args)), **kwargs}
    if len(_futures) + len(_results) >= OUTSTANDING_MAX:
        raise RuntimeError(f"too many calls of tools without a result: {OUTSTANDING_MAX} are allowed at the same time")
    call = {"id": f"call_{next(_numbers):03}", "name": tool["name"], "args": list(args), "kwargs": kwargs}
    try:
        return call["id"], json.dumps(call, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"arguments of {tool['name']}() must be JSON: {error}") from None


def _outcome(result):
    """Returns the value, or an exception to raise."""
    error = result.get("error")
    if error is None:
        return result.get("value"), None
    import builtins

    kind = getattr(builtins, error.get("type") or "", None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = ToolExecutionError
    try:
        return None, kind(error["message"])
    except Exception:
        return None, ToolExecutionError(error["message"])


def _called(tool):
    def call(*args, **kwargs):
        identity, text = _request(tool, args, kwargs)
        calls, _results[identity] = f"[{text}]", None
        try:
            while _results[identity] is None:
                _settle_all(_pyexec_tier.call_tools(calls, -1.0))
                calls = "[]"
            value, error = _outcome(_results[identity])
        finally:
            del _results[identity]
        if error is not None:
            raise error
        return value

    return _described(call, tool)


def _awaited(tool):
    async def call(*args, **kwargs):
        import asyncio

        identity, text = _request(tool, args, kwargs)
        loop = asyncio.get_running_loop()
        _wait_in(loop)
        future = loop.create_future()
        _futures[identity] = future
        _unsent.append(text)
        try:
            return await future
        finally:
            _futures.pop(identity, None)

    return _described(call, tool)


def _settle_all(text):
    for result in json.loads(text) if text else ():
        if result["id"] in _results:
            _results[result["id"]] = result
        elif (future := _futures.pop(result["id"], None)) is not None:
            from asyncio import events

            loop = future.get_loop()
            if loop is events._get_running_loop():
                _settle(future, result)
            elif not loop.is_closed():
                # That of another thread, or one that does not run now.
                loop.call_soon_threadsafe(_settle, future, result)


def _settle(future, result):
    if future.done():
        return
    value, error = _outcome(result)
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)


def _wait_in(loop):
    """Has a loop that has nothing left to do send the calls, and wait for results until its next timer."""
    selector = getattr(loop, "_selector", None)
    if selector is None:
        raise RuntimeError("tools are awaited only in the event loops of asyncio itself")
    if getattr(selector, "_pyexec_waits", False):
        return
    select = selector.select

    def wait(timeout=None):
        if not _futures or timeout is not None and timeout <= 0:
            return select(timeout)
        calls, _unsent[:] = f"[{','.join(_unsent)}]", []
        ready, text = _pyexec_tier.select_and_call(select, selector, calls, timeout)
        _settle_all(text)
        return ready

    selector.select = wait
    selector._pyexec_waits = True
