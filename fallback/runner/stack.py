"""Calls with no Python frame of the runner below them, and exceptions without any of its frames."""
import builtins
import collections
import functools
import operator
import resource
import sys


# Since 3.11.
GROUPS = getattr(builtins, "BaseExceptionGroup", ())


class Left(BaseException):
    """Unwinds all functions of the runner."""


def leave_for(steps):
    """Goes through a generator with no frame of the runner below it; does not return.

    The interpreter calls its hook for exceptions when all frames are gone. Here that is made of functions in C, so that
    what the generator yields is dropped with an empty stack of Python frames. An exit that it raises ends the process.
    """
    sys.excepthook = functools.partial(max, steps, key=functools.partial(collections.deque, maxlen=0))
    raise Left


def at_the_bottom(function, *args):
    """Calls something with no Python frame below it, as the interpreter calls a script; to be delegated to by a generator.

    What is yielded is dropped while the generators are suspended, and calls the function when it goes. What is raised
    there is handed to a hook. That takes memory, of which there may be none, and the hook, which the job may have replaced
    by its own: so an object goes as soon as the call has ended, which lifts the limit and puts the hook in place.
    """
    results, errors, hooks = [], [None], [sys.unraisablehook]
    limits = resource.getrlimit(resource.RLIMIT_DATA)

    def catch(unraisable):
        if is_about(unraisable, call):
            errors[0] = unraisable.exc_value
        elif not is_about(unraisable, lift):
            hooks[0](unraisable)

    def ended():
        hooks[0], sys.unraisablehook = sys.unraisablehook, catch

    def guard():
        guard = guarded()
        guard.after = After(ended)
        return guard

    lift = functools.partial(resource.setrlimit, resource.RLIMIT_DATA, (limits[1], limits[1]))
    members = {"call": staticmethod(functools.partial(function, *args)), "__del__": staticmethod(lift)}
    guarded = type("", (), {"__slots__": ("after",), **members})
    call = functools.partial(results.extend, map(operator.methodcaller("call"), (guard() for _ in "1")))
    yield type("", (), {"__slots__": (), "__del__": staticmethod(call)})()
    sys.unraisablehook = hooks[0]
    if errors[0] is not None:
        raise errors[0]
    try:
        resource.setrlimit(resource.RLIMIT_DATA, limits)
    except ValueError:
        pass  # the job has lowered it
    return results[0]


class After:
    """Calls a function when it goes."""

    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function

    def __del__(self):
        self.function()


def is_about(unraisable, function):
    # Since 3.14 it is only named.
    return unraisable.object is function or unraisable.object is None and repr(function) in (unraisable.err_msg or "")


def hide_ours(error):
    """Takes frames of the runner out of the tracebacks of an exception and of those before it."""
    seen, pending = set(), [error]
    while pending:
        error = pending.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        pending += (error.__cause__, error.__context__)
        if isinstance(error, GROUPS):
            pending += error.exceptions
        error.__traceback__ = without_ours(error.__traceback__)


def without_ours(trace):
    """Returns a traceback without the frames of the runner."""
    first = trace = after_ours(trace)
    while trace is not None:
        following = after_ours(trace.tb_next)
        if following is not trace.tb_next:
            trace.tb_next = following
        trace = following
    return first


def after_ours(trace):
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith("<pyexec "):
        trace = trace.tb_next
    return trace
