#: promise = "multiprocessing and process pools fail with a Python exception, without waiting"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"


def make_process(method):
    import multiprocessing

    multiprocessing.get_context(method).Process(target=print).start()


def make_pool():
    import multiprocessing

    multiprocessing.Pool(2)


def make_executor():
    import concurrent.futures

    concurrent.futures.ProcessPoolExecutor(2).submit(print).result(1)


def share_memory():
    from multiprocessing import shared_memory

    shared_memory.SharedMemory(create=True, size=100)


for attempt in (lambda: make_process("spawn"), lambda: make_process("fork"), make_pool, make_executor, share_memory):
    try:
        attempt()
    except (OSError, ImportError, RuntimeError, ValueError, AttributeError, NotImplementedError):
        continue
    raise AssertionError("allowed")
print("ok")
