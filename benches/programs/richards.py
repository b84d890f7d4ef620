"""Richards: simulation of an operating system kernel passing packets between tasks."""

# Task identities.
IDLE = 0
WORKER = 1
HANDLER_A = 2
HANDLER_B = 3
DEVICE_A = 4
DEVICE_B = 5
TASKS = 6

# Kinds of packet.
KIND_DEVICE = 0
KIND_WORK = 1

BUFFER = 4
IDLE_COUNT = 10000
REPEATS = 10
EXPECTED = (23246, 9297)


class Packet:
    def __init__(self, link, ident, kind):
        self.link = link
        self.ident = ident
        self.kind = kind
        self.datum = 0
        self.data = [0] * BUFFER

    def append_to(self, queue):
        """Put this packet at the end of a queue and return the queue's head."""
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class DeviceRecord:
    def __init__(self):
        self.pending = None


class IdleRecord:
    def __init__(self, count):
        self.control = 1
        self.count = count


class HandlerRecord:
    def __init__(self):
        self.work_in = None
        self.device_in = None

    def add_work(self, packet):
        self.work_in = packet.append_to(self.work_in)

    def add_device(self, packet):
        self.device_in = packet.append_to(self.device_in)


class WorkerRecord:
    def __init__(self):
        self.destination = HANDLER_A
        self.count = 0


class TaskState:
    """The three flags the scheduler goes by."""

    def __init__(self):
        self.packet_pending = False
        self.waiting = False
        self.holding = False

    def set_running(self):
        self.packet_pending = self.waiting = self.holding = False
        return self

    def set_waiting(self):
        self.packet_pending = self.holding = False
        self.waiting = True
        return self

    def set_waiting_with_packet(self):
        self.packet_pending = self.waiting = True
        self.holding = False
        return self

    def set_packet_pending(self):
        self.packet_pending = True
        self.waiting = self.holding = False
        return self

    def is_held_or_waiting(self):
        return self.holding or (not self.packet_pending and self.waiting)

    def is_waiting_with_packet(self):
        return self.packet_pending and self.waiting and not self.holding


class Task:
    def __init__(self, kernel, ident, priority, queue, state, record):
        self.kernel = kernel
        self.link = kernel.task_list
        self.ident = ident
        self.priority = priority
        self.queue = queue
        self.state = state
        self.record = record
        kernel.task_list = self
        kernel.table[ident] = self

    def body(self, packet, record):
        raise NotImplementedError

    def add_packet(self, packet, old):
        """Take in a packet; return the task that should run next."""
        if self.queue is None:
            self.queue = packet
            self.state.packet_pending = True
            if self.priority > old.priority:
                return self
        else:
            packet.append_to(self.queue)
        return old

    def run(self):
        if self.state.is_waiting_with_packet():
            packet = self.queue
            self.queue = packet.link
            if self.queue is None:
                self.state.set_running()
            else:
                self.state.set_packet_pending()
        else:
            packet = None
        return self.body(packet, self.record)

    def wait(self):
        self.state.waiting = True
        return self

    def hold(self):
        self.kernel.hold_count += 1
        self.state.holding = True
        return self.link

    def release(self, ident):
        task = self.kernel.find(ident)
        task.state.holding = False
        if task.priority > self.priority:
            return task
        return self

    def send(self, packet):
        task = self.kernel.find(packet.ident)
        self.kernel.queue_count += 1
        packet.link = None
        packet.ident = self.ident
        return task.add_packet(packet, self)


class IdleTask(Task):
    def body(self, packet, record):
        record.count -= 1
        if record.count == 0:
            return self.hold()
        if record.control & 1 == 0:
            record.control //= 2
            return self.release(DEVICE_A)
        record.control = record.control // 2 ^ 0xD008
        return self.release(DEVICE_B)


class WorkTask(Task):
    def body(self, packet, record):
        if packet is None:
            return self.wait()
        if record.destination == HANDLER_A:
            record.destination = HANDLER_B
        else:
            record.destination = HANDLER_A
        packet.ident = record.destination
        packet.datum = 0
        for i in range(BUFFER):
            record.count += 1
            if record.count > 26:
                record.count = 1
            packet.data[i] = 64 + record.count
        return self.send(packet)


class HandlerTask(Task):
    def body(self, packet, record):
        if packet is not None:
            if packet.kind == KIND_WORK:
                record.add_work(packet)
            else:
                record.add_device(packet)
        work = record.work_in
        if work is None:
            return self.wait()
        count = work.datum
        if count >= BUFFER:
            record.work_in = work.link
            return self.send(work)
        device = record.device_in
        if device is None:
            return self.wait()
        record.device_in = device.link
        device.datum = work.data[count]
        work.datum = count + 1
        return self.send(device)


class DeviceTask(Task):
    def body(self, packet, record):
        if packet is not None:
            record.pending = packet
            return self.hold()
        packet = record.pending
        if packet is None:
            return self.wait()
        record.pending = None
        return self.send(packet)


class Kernel:
    def __init__(self):
        self.task_list = None
        self.table = [None] * TASKS
        self.hold_count = 0
        self.queue_count = 0

    def find(self, ident):
        task = self.table[ident]
        if task is None:
            raise LookupError(f"no task {ident}")
        return task

    def schedule(self):
        task = self.task_list
        while task is not None:
            if task.state.is_held_or_waiting():
                task = task.link
            else:
                task = task.run()


def build_kernel():
    kernel = Kernel()
    IdleTask(kernel, IDLE, 0, None, TaskState().set_running(), IdleRecord(IDLE_COUNT))

    queue = Packet(None, WORKER, KIND_WORK)
    queue = Packet(queue, WORKER, KIND_WORK)
    state = TaskState().set_waiting_with_packet()
    WorkTask(kernel, WORKER, 1000, queue, state, WorkerRecord())

    for ident, priority, device in (
        (HANDLER_A, 2000, DEVICE_A),
        (HANDLER_B, 3000, DEVICE_B),
    ):
        queue = None
        for _ in range(3):
            queue = Packet(queue, device, KIND_DEVICE)
        state = TaskState().set_waiting_with_packet()
        HandlerTask(kernel, ident, priority, queue, state, HandlerRecord())

    for ident, priority in ((DEVICE_A, 4000), (DEVICE_B, 5000)):
        DeviceTask(kernel, ident, priority, None, TaskState().set_waiting(), DeviceRecord())
    return kernel


def bench() -> object:
    counts = None
    for _ in range(REPEATS):
        kernel = build_kernel()
        kernel.schedule()
        counts = kernel.queue_count, kernel.hold_count
        if counts != EXPECTED:
            raise ValueError(f"unexpected counts: {counts}")
    return counts


if __name__ == "__main__":
    print(bench())
