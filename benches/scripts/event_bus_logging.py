import logging
import sys
from collections import defaultdict

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)-8s %(name)-10s %(message)s")
log = logging.getLogger("bus")


class EventBus:
    def __init__(self):
        self._handlers = defaultdict(list)

    def on(self, event):
        return self._handlers[event].append

    def emit(self, event, **data):
        if event not in self._handlers:
            log.warning("nobody listens to %r", event)
        for handler in self._handlers[event]:
            try:
                handler(**data)
            except Exception as error:
                log.error("%s failed on %r: %s", handler.__name__, event, error)


bus = EventBus()
stock = {"apple": 3}


@bus.on("order")
def reserve(item, quantity):
    stock[item] -= quantity
    logging.getLogger("stock").info("%s: %d left", item, stock[item])


@bus.on("order")
def notify(item, quantity):
    logging.getLogger("mail").info("sending %d x %s", quantity, item)


bus.emit("order", item="apple", quantity=2)
bus.emit("order", item="pear", quantity=1)
bus.emit("refund", item="apple")
