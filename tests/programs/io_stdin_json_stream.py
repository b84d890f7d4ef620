# stdin:
#< {"cmd": "push", "value": 3}
#< {"cmd": "push", "value": 4.5}
#< {"cmd": "add"}
#< not json
#< {"cmd": "dup"}
#< {"cmd": "mul"}
#< {"cmd": "explode"}
#< {"cmd": "print"}
import json
import sys


class Machine:
    def __init__(self):
        self.stack = []

    def cmd_push(self, value):
        self.stack.append(value)

    def cmd_add(self):
        self.stack.append(self.stack.pop() + self.stack.pop())

    def cmd_mul(self):
        self.stack.append(self.stack.pop() * self.stack.pop())

    def cmd_dup(self):
        self.stack.append(self.stack[-1])

    def cmd_print(self):
        return {"stack": self.stack}

    def dispatch(self, msg):
        handler = getattr(self, "cmd_" + msg.pop("cmd"), None)
        if handler is None:
            raise LookupError("unknown command")
        return handler(**msg)


m = Machine()
for n, line in enumerate(sys.stdin):
    reply = {"id": n, "ok": True}
    try:
        result = m.dispatch(json.loads(line))
        if result is not None:
            reply["result"] = result
    except (json.JSONDecodeError, LookupError) as exc:
        reply.update(ok=False, error=f"{type(exc).__name__}: {exc}")
    print(json.dumps(reply), flush=True)
print(m.stack)
