"""Folders whose listing takes several calls, with names of lengths that fill the buffers between in every way."""
import os

for length in (4, 28, 149, 176, 200, 213, 230, 245, 255):
    os.mkdir(f"names_{length}")
    for number in range(100):
        open(f"names_{length}/{number:0{length}}", "w").close()
    print(length, len(os.listdir(f"names_{length}")), sum(1 for _ in os.scandir(f"names_{length}")))
