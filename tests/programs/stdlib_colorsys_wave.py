import colorsys
import io
import math
import struct
import wave

for name, rgb in {"red": (1, 0, 0), "olive": (0.5, 0.5, 0), "teal": (0, 0.5, 0.5), "gray": (0.3, 0.3, 0.3)}.items():
    hsv, hls, yiq = colorsys.rgb_to_hsv(*rgb), colorsys.rgb_to_hls(*rgb), colorsys.rgb_to_yiq(*rgb)
    print(name, [round(v, 4) for v in hsv], [round(v, 4) for v in hls], [round(v, 4) for v in yiq])
    back = colorsys.hsv_to_rgb(*hsv)
    print("  back", [round(v, 6) for v in back], "#%02x%02x%02x" % tuple(round(c * 255) for c in back))
palette = ["#%02x%02x%02x" % tuple(int(c * 255) for c in colorsys.hls_to_rgb(i / 6, 0.5, 0.8)) for i in range(6)]
print(palette)

buf = io.BytesIO()
with wave.open(buf, "wb") as w:
    w.setnchannels(2)
    w.setsampwidth(2)
    w.setframerate(8000)
    for i in range(80):
        v = round(20000 * math.sin(2 * math.pi * i / 20))
        w.writeframes(struct.pack("<hh", v, -v))
raw = buf.getvalue()
print(len(raw), raw[:4], raw[8:16], struct.unpack("<I", raw[4:8]))
buf.seek(0)
with wave.open(buf) as w:
    print(w.getparams())
    w.setpos(5)
    left, right = struct.unpack("<hh", w.readframes(1))
    print(left, right, w.tell(), len(w.readframes(1000)))
with wave.open("tone.wav", "wb") as w:
    w.setparams((1, 1, 4000, 0, "NONE", "not compressed"))
    w.writeframes(bytes(128 + (i % 8) * 4 for i in range(40)))
with wave.open("tone.wav") as w:
    print(w.getnframes(), w.getsampwidth(), w.readframes(10))
try:
    wave.open(io.BytesIO(b"RIFFxxxxJUNK"))
except (wave.Error, EOFError) as e:
    print(type(e).__name__, e)
