"""strftime as glibc has it: its own directives, flags, widths, modifiers, and what nobody knows."""
import datetime
import hashlib
import itertools
import time

moments = [datetime.datetime(2024, 3, 5, 15, 4, 9), datetime.datetime(2026, 1, 1), datetime.datetime(1999, 12, 31, 23, 59, 59),
           datetime.datetime(2021, 1, 3, 0, 30), datetime.datetime(2016, 2, 29, 12), datetime.datetime(987, 6, 5, 4, 3, 2),
           datetime.datetime(9, 1, 1, 9, 9), datetime.datetime(9999, 12, 31, 11)]
LETTERS = "aAbBcCdDeFgGhHIjklmMnpPqrRsStTuUVwWxXyYzZfLNQJiv!+.:E%"
for letter in LETTERS:
    # %s asks for local time, which is that of the machine outside.
    if letter != "s":
        print(letter, [moment.strftime("%" + letter) for moment in moments[:6]])
for text in ("%l:%M %p", "%B %-d, %Y at %-I:%M%P", "%k o'clock", "100% on %d", "%H:%M:%S.%L", "%^a", "load 100%", "%", "%%",
             "%5Y|%-5Y|%_5Y|%05d|%_3m|%-H|%010A|%_10b|%^10B|%#Z|%#p|%#a|%^#a", "%Ey %Od %EC %EX %Ox %Oy %Ei %O", "%1000d", "%9999Y",
             "%+4Y", "%:z", "%::z", "%E%d", "%-%d", "%3", "é%dü%", "%d\0%H", "%é", "\ud800%d", ""):
    print(ascii(text), ascii(moments[0].strftime(text))[:80], ascii(f"{moments[5]:{text}}")[:80] if text and ":" not in text else "")

every = hashlib.sha256()
for flags, width, modifier, letter in itertools.product(("", "_", "-", "0", "^", "#", "_#", "0^", "-0"), ("", "1", "4", "12"),
                                                        ("", "E", "O"), LETTERS):
    if letter != "s":
        text = f"<%{flags}{width}{modifier}{letter}>"
        for moment in moments:
            every.update(time.strftime(text, moment.timetuple()).encode())
print(every.hexdigest())

for year in (-1000, -1, 0, 5, 42, 999, 1000, 9999, 10000, 123456):
    print(year, [time.strftime(text, (year, 1, 2, 3, 4, 5, 6, 7, 0)) for text in ("%Y", "%4Y", "%05Y", "%C", "%y", "%F", "%G-%V", "%c")])
for given in (-1, 0, 1):
    print(given, [time.strftime(text, (2024, 7, 1, 0, 0, 0, 0, 183, given)) for text in ("%Z", "%z", "[%5z]", "%#Z", "[%8Z]")])
for bad in ((2024, 13, 1, 0, 0, 0, 0, 1, 0), (2024, 1, 32, 0, 0, 0, 0, 1, 0), (2024, 1, 1, 24, 0, 0, 0, 1, 0), (2024, 1, 1, 0, 0, 62, 0, 1, 0)):
    try:
        print(time.strftime("%d", bad))
    except ValueError as error:
        print(error)
print(datetime.date(2024, 3, 5).strftime("%A %-d. %B"), datetime.time(5, 6, 7).strftime("%-I.%M %P"), datetime.date(5, 1, 1).strftime("%Y|%F|%G|%C"))
zone = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30), "NST")
print(datetime.datetime(2024, 1, 1, tzinfo=zone).strftime("%z %:z %Z %#Z %10Z"))
