/* strftime and wcsftime as glibc has them in the C locale: its own directives (%P %k %l %s), the flags _ - 0 ^ #, widths,
 * and directives that nobody knows copied as they are. musl's gives up the whole text for any of these. */
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* A format or other text, of bytes or of wide characters. */
struct text {
    const void *start;
    int wide;
};

struct output {
    void *to; /* NULL only counts */
    int wide;
    size_t length, room; /* room includes the zero at the end */
    int full;
};

/* What stands between % and the letter. */
struct field {
    int width; /* -1: none */
    char pad;  /* one of `_-0`, or 0 */
    int upper, lower, swap;
    char modifier; /* E, O or 0 */
};

static uint32_t at(struct text text, size_t i) {
    return text.wide ? (uint32_t)((const wchar_t *)text.start)[i] : ((const unsigned char *)text.start)[i];
}

static struct text bytes(const char *start) { return (struct text){start, 0}; }

static void put(struct output *out, uint32_t c, size_t times) {
    if (out->full || times >= out->room - out->length) {
        out->full = 1;
        return;
    }
    for (; out->to != NULL && times > 0; times--) {
        if (out->wide) {
            ((wchar_t *)out->to)[out->length++] = (wchar_t)c;
        } else {
            ((char *)out->to)[out->length++] = (char)c;
        }
    }
    out->length += times;
}

static uint32_t to_upper(uint32_t c) { return c - 'a' < 26 ? c - 'a' + 'A' : c; }
static uint32_t to_lower(uint32_t c) { return c - 'A' < 26 ? c - 'A' + 'a' : c; }

static void put_padding(struct output *out, const struct field *field, size_t length) {
    if (field->width > 0 && (size_t)field->width > length) {
        put(out, field->pad == '0' ? '0' : ' ', (size_t)field->width - length);
    }
}

static void put_text(struct output *out, const struct field *field, struct text text, size_t start, size_t length) {
    put_padding(out, field, length);
    for (size_t i = start; i < start + length; i++) {
        uint32_t c = at(text, i);
        put(out, field->lower ? to_lower(c) : field->upper ? to_upper(c) : c, 1);
    }
}

static void put_string(struct output *out, const struct field *field, const char *text) {
    put_text(out, field, bytes(text), 0, strlen(text));
}

/* At least so many digits, after zeros, or after spaces when `pad` is _. */
static void put_number(struct output *out, struct field field, int digits, int64_t number) {
    char text[24], *start = text + sizeof text;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--start = (char)('0' + rest % 10);
    } while ((rest /= 10) != 0);
    if (number < 0) {
        *--start = '-';
    }
    int length = (int)(text + sizeof text - start);
    if (field.pad == '-') {
        put_text(out, &field, bytes(start), 0, (size_t)length);
        return;
    }
    int missing = (digits > field.width ? digits : field.width) - length;
    if (missing > 0 && field.pad != '_' && number < 0) {
        put(out, '-', 1);
        start++;
        length--;
    }
    if (missing > 0) {
        put(out, field.pad == '_' ? ' ' : '0', (size_t)missing);
    }
    field.width = -1;
    put_text(out, &field, bytes(start), 0, (size_t)length);
}

static void format_time(struct output *out, struct text format, const struct tm *tm);

static void put_time(struct output *out, const struct field *field, const char *format, const struct tm *tm) {
    struct output measured = {.room = SIZE_MAX};
    format_time(&measured, bytes(format), tm);
    put_padding(out, field, measured.length);
    size_t start = out->length;
    format_time(out, bytes(format), tm);
    for (size_t i = start; field->upper && out->to != NULL && i < out->length; i++) {
        if (out->wide) {
            ((wchar_t *)out->to)[i] = (wchar_t)to_upper((uint32_t)((wchar_t *)out->to)[i]);
        } else {
            ((char *)out->to)[i] = (char)to_upper(((unsigned char *)out->to)[i]);
        }
    }
}

static int is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/* Days from the Monday of week 1 of the ISO year that begins in a year, whose day `yday` is a `wday`. */
static int iso_days(int yday, int wday) {
    int week_start = yday - (wday + 6) % 7;               /* day of the year of this week's Monday */
    int first = ((week_start % 7) + 7) % 7;               /* and of the first Monday on or after January 1 */
    return week_start - (first > 3 ? first - 7 : first);  /* week 1 has January 4 */
}

static int64_t iso_week(const struct tm *tm, int *week) {
    int64_t year = (int64_t)tm->tm_year + 1900;
    int days = iso_days(tm->tm_yday, tm->tm_wday);
    if (days < 0) {
        year--;
        days = iso_days(tm->tm_yday + 365 + is_leap(year), tm->tm_wday);
    } else {
        int next = iso_days(tm->tm_yday - 365 - is_leap(year), tm->tm_wday);
        if (next >= 0) {
            year++;
            days = next;
        }
    }
    *week = days / 7 + 1;
    return year;
}

static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

static void put_name(struct output *out, struct field field, const char *const *names, int count, int i, size_t length) {
    const char *name = i < 0 || i >= count ? "?" : names[i];
    field.upper |= field.swap;
    put_text(out, &field, bytes(name), 0, strnlen(name, length));
}

/* Whether a modifier may stand before this letter; some letters do not look at it. */
static int takes_modifier(char modifier, uint32_t letter) {
    static const char careless[] = "npPrRsTtuzZ", after_e[] = "cCxXyY", after_o[] = "bBCdeghGHIjklmMSUVwWy";
    if (modifier == 0 || letter == 0 || letter >= 128 || strchr(careless, (int)letter) != NULL) {
        return 1;
    }
    return strchr(modifier == 'E' ? after_e : after_o, (int)letter) != NULL;
}

/* Writes one directive; returns 0 when it is none. */
static int put_directive(struct output *out, struct field field, uint32_t letter, const struct tm *tm) {
    int hour12 = tm->tm_hour > 12 ? tm->tm_hour - 12 : tm->tm_hour == 0 ? 12 : tm->tm_hour;
    int64_t year = (int64_t)tm->tm_year + 1900;
    struct field spaced = field;
    if (spaced.pad == 0) {
        spaced.pad = '_';
    }
    if (!takes_modifier(field.modifier, letter)) {
        return 0;
    }
    switch (letter) {
    case '%': put_string(out, &field, "%"); break;
    case 'n': put_string(out, &field, "\n"); break;
    case 't': put_string(out, &field, "\t"); break;
    case 'a': put_name(out, field, days, 7, tm->tm_wday, 3); break;
    case 'A': put_name(out, field, days, 7, tm->tm_wday, 9); break;
    case 'b':
    case 'h': put_name(out, field, months, 12, tm->tm_mon, 3); break;
    case 'B': put_name(out, field, months, 12, tm->tm_mon, 9); break;
    case 'c': put_time(out, &field, "%a %b %e %H:%M:%S %Y", tm); break;
    case 'x':
    case 'D': put_time(out, &field, "%m/%d/%y", tm); break;
    case 'X':
    case 'T': put_time(out, &field, "%H:%M:%S", tm); break;
    case 'F': put_time(out, &field, "%Y-%m-%d", tm); break;
    case 'R': put_time(out, &field, "%H:%M", tm); break;
    case 'r': put_time(out, &field, "%I:%M:%S %p", tm); break;
    case 'C': put_number(out, field, 1, year / 100 - (year % 100 < 0)); break;
    case 'd': put_number(out, field, 2, tm->tm_mday); break;
    case 'e': put_number(out, spaced, 2, tm->tm_mday); break;
    case 'H': put_number(out, field, 2, tm->tm_hour); break;
    case 'I': put_number(out, field, 2, hour12); break;
    case 'k': put_number(out, spaced, 2, tm->tm_hour); break;
    case 'l': put_number(out, spaced, 2, hour12); break;
    case 'j': put_number(out, field, 3, (int64_t)tm->tm_yday + 1); break;
    case 'M': put_number(out, field, 2, tm->tm_min); break;
    case 'm': put_number(out, field, 2, (int64_t)tm->tm_mon + 1); break;
    case 'S': put_number(out, field, 2, tm->tm_sec); break;
    case 'u': put_number(out, field, 1, (tm->tm_wday + 6) % 7 + 1); break;
    case 'w': put_number(out, field, 1, tm->tm_wday); break;
    case 'U': put_number(out, field, 2, (tm->tm_yday - tm->tm_wday + 7) / 7); break;
    case 'W': put_number(out, field, 2, (tm->tm_yday - (tm->tm_wday + 6) % 7 + 7) / 7); break;
    case 'Y': put_number(out, field, 1, year); break;
    case 'y': put_number(out, field, 2, (year % 100 + 100) % 100); break;
    case 'g':
    case 'G':
    case 'V': {
        int week;
        int64_t iso_year = iso_week(tm, &week);
        put_number(out, field, letter == 'G' ? 1 : 2,
                   letter == 'V' ? week : letter == 'G' ? iso_year : (iso_year % 100 + 100) % 100);
        break;
    }
    case 's': {
        struct tm copy = *tm;
        struct field plain = {.width = -1};
        char text[24];
        struct output number = {.to = text, .room = sizeof text};
        put_number(&number, plain, 1, mktime(&copy));
        put_text(out, &field, bytes(text), 0, number.length); /* a width does not make zeros here */
        break;
    }
    case 'P':
    case 'p':
        field.lower = letter == 'P' || field.swap;
        put_string(out, &field, tm->tm_hour > 11 ? "PM" : "AM");
        break;
    case 'Z': {
        const char *zone = tm->tm_zone;
        if ((zone == NULL || *zone == 0) && tm->tm_isdst >= 0) {
            tzset();
            zone = tzname[tm->tm_isdst != 0];
        }
        field.lower = field.swap;
        put_string(out, &field, zone == NULL ? "" : zone);
        break;
    }
    case 'z':
        if (tm->tm_isdst >= 0) {
            long minutes = (tm->tm_gmtoff < 0 ? -tm->tm_gmtoff : tm->tm_gmtoff) / 60;
            put_string(out, &field, tm->tm_gmtoff < 0 ? "-" : "+");
            put_number(out, field, 4, minutes / 60 * 100 + minutes % 60);
        }
        break;
    default: return 0;
    }
    return 1;
}

static void format_time(struct output *out, struct text format, const struct tm *tm) {
    for (size_t i = 0; at(format, i) != 0 && !out->full; i++) {
        if (at(format, i) != '%') {
            put(out, at(format, i), 1);
            continue;
        }
        i++;
        struct field field = {.width = -1};
        for (;; i++) {
            uint32_t flag = at(format, i);
            if (flag == '_' || flag == '-' || flag == '0') {
                field.pad = (char)flag;
            } else if (flag == '^') {
                field.upper = 1;
            } else if (flag == '#') {
                field.swap = 1;
            } else {
                break;
            }
        }
        for (; at(format, i) - '0' < 10; i++) {
            int digit = (int)(at(format, i) - '0');
            field.width = field.width < 0 ? 0 : field.width;
            field.width = field.width > (INT_MAX - digit) / 10 ? INT_MAX : field.width * 10 + digit;
        }
        if (at(format, i) == 'E' || at(format, i) == 'O') {
            field.modifier = (char)at(format, i++);
        }
        if (!put_directive(out, field, at(format, i), tm)) {
            /* As it is, from the last % on. */
            if (at(format, i) == 0) {
                i--;
            }
            size_t start = i;
            field.upper |= field.swap && (at(format, i) == 'b' || at(format, i) == 'h');
            while (at(format, start) != '%') {
                start--;
            }
            put_text(out, &field, format, start, i - start + 1);
        }
    }
}

static size_t finish(struct output *out) {
    if (out->full || out->room == 0) {
        return 0;
    }
    if (out->wide) {
        ((wchar_t *)out->to)[out->length] = 0;
    } else {
        ((char *)out->to)[out->length] = 0;
    }
    return out->length;
}

size_t strftime(char *restrict to, size_t room, const char *restrict format, const struct tm *restrict tm) {
    struct output out = {.to = to, .room = room};
    format_time(&out, (struct text){format, 0}, tm);
    return finish(&out);
}

size_t wcsftime(wchar_t *restrict to, size_t room, const wchar_t *restrict format, const struct tm *restrict tm) {
    struct output out = {.to = to, .room = room, .wide = 1};
    format_time(&out, (struct text){format, 1}, tm);
    return finish(&out);
}
