# stdin:
#< add widget 10 2.50
#< add gadget 3 19.99
#< add widget 5
#< sell gadget 5
#< sell widget 12
#< price gadget -1
#< undo
#< report
#< save stock.json
#< load nowhere.json
#< wat
#< exit
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Item:
    name: str
    qty: int = 0
    price: float = 0.0


class Shop:
    def __init__(self):
        self.items, self.undo_stack = {}, []

    def snapshot(self):
        self.undo_stack.append(json.dumps({k: asdict(v) for k, v in self.items.items()}))

    def do_add(self, name, qty, price=None):
        self.snapshot()
        item = self.items.setdefault(name, Item(name))
        item.qty += int(qty)
        if price is not None:
            item.price = float(price)
        return item

    def do_sell(self, name, qty):
        item = self.items[name]
        if item.qty < int(qty):
            raise ValueError(f"only {item.qty} {name} left")
        self.snapshot()
        item.qty -= int(qty)
        return f"sold for {int(qty) * item.price:.2f}"

    def do_undo(self):
        self.items = {k: Item(**v) for k, v in json.loads(self.undo_stack.pop()).items()}
        return f"undone, {len(self.undo_stack)} left"

    def do_report(self):
        rows = [f"{i.name:<10}|{i.qty:>5}|{i.price:>8.2f}|{i.qty * i.price:>9.2f}" for i in self.items.values()]
        return "\n".join(rows)

    def do_save(self, path):
        Path(path).write_text(json.dumps([asdict(i) for i in self.items.values()], indent=1))
        return Path(path).read_text()

    def do_load(self, path):
        return json.loads(Path(path).read_text())


shop = Shop()
for line in sys.stdin:
    verb, *args = line.split()
    if verb == "exit":
        print("goodbye")
        sys.exit(len(shop.items))
    try:
        handler = getattr(shop, f"do_{verb}")
        print("ok:", handler(*args))
    except (AttributeError, TypeError, ValueError, KeyError, OSError) as e:
        print("error:", type(e).__name__, e)
