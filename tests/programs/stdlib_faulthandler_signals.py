import faulthandler
import os
import signal
import tempfile

with tempfile.TemporaryFile("w+") as file:

    def inner():
        signal.raise_signal(signal.SIGUSR1)

    faulthandler.register(signal.SIGUSR1, file=file, all_threads=False)
    inner()
    signal.signal(signal.SIGUSR2, lambda *args: print("chained"))
    faulthandler.register(signal.SIGUSR2, file, chain=True)
    os.kill(os.getpid(), signal.SIGUSR2)
    signal.signal(signal.SIGUSR2, lambda *args: print("replaced"))
    os.kill(os.getpid(), signal.SIGUSR2)
    print(faulthandler.unregister(signal.SIGUSR1), faulthandler.unregister(signal.SIGUSR1))
    file.seek(0)
    for line in file:
        if line.startswith("  File"):
            print(line.strip().rpartition("/")[2].rpartition(",")[2].strip('" '))
        else:
            print(line.partition(" 0x")[0].partition(" [")[0].strip())
for wrong in (signal.SIGSEGV, 0, 65, signal.SIGKILL):
    try:
        faulthandler.register(wrong)
    except Exception as error:
        print(type(error).__name__, error)
