"""The backend that matplotlib has in a job: no window, but what would be seen in one comes back as PNG.

The runner executes this when a job imports pyplot, and has put `tell` here, which takes a function that draws a figure.
"""
import io
import sys

import matplotlib
from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg


class FigureManager(FigureManagerBase):
    """A window that nobody sees. What it has shown is told when it closes."""

    is_shown = False

    def show(self):
        self.is_shown = True

    def destroy(self):
        if self.is_shown:
            self.is_shown = False
            tell(lambda: png(self.canvas.figure))


class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager


def show(*_, block=None, **__):
    managers = in_order()
    for manager in managers:
        manager.show()
    if block if block is not None else not matplotlib.is_interactive():
        # A window blocks until its user closes it; the next plot begins a new one.
        for manager in managers:
            Gcf.destroy(manager)


def in_order():
    return sorted(Gcf.get_all_fig_managers(), key=lambda manager: manager.num)


def png(figure):
    data = io.BytesIO()
    figure.savefig(data, format="png")
    return data.getvalue()


def be_the_default():
    """Unless the job has chosen another: by a variable, a file, or a call."""
    if dict.__getitem__(matplotlib.rcParams, "backend") is matplotlib.rcsetup._auto_backend_sentinel:
        matplotlib.rcParams["backend"] = f"module://{__name__}"


def tell_open():
    """Figures that the script has left open, whatever their backend."""
    for manager in in_order():
        figure = manager.canvas.figure
        manager.is_shown = False
        Gcf.destroy(manager)
        # One with nothing in it but its background is what `savefig` after `show` leaves.
        if len(figure.get_children()) > 1:
            try:
                tell(lambda: png(figure))
            except Exception as error:
                print(f"pyexec: figure {manager.num} cannot be drawn: {error!r}", file=sys.stderr)
