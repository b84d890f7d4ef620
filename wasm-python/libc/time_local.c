/* Local time: TZ as glibc reads it, names of the time zone database as well as POSIX rules, and mktime with glibc's choice
 * among times that exist twice or not at all. Nothing is read before the first use. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400

/* One of the two changes of a POSIX rule. */
struct change {
    enum { JULIAN_WITHOUT_LEAP_DAY, DAY_OF_YEAR, DAY_OF_MONTH } kind;
    int month, week, day;
    int32_t seconds; /* of local time, in that day */
};

/* What TZ=EST5EDT,M3.2.0,M11.1.0 says. [0] is standard time, or the change to daylight time. */
struct rules {
    const char *names[2];
    int32_t offsets[2]; /* east of Greenwich */
    struct change changes[2];
};

struct type {
    int32_t offset;
    unsigned char is_dst;
    const char *name;
};

/* A file of the time zone database. */
struct zone {
    size_t count, type_count;
    int64_t *times;       /* when a type begins */
    unsigned char *kinds; /* which */
    struct type *types;
    int has_rules; /* for what comes after */
    struct rules rules;
};

static struct zone *zone; /* NULL: rules alone */
static struct rules rules;
static char *known; /* the TZ that both are from, or NULL without one */
static int initialised;

char *tzname[2] = {"UTC", "UTC"};
int daylight;
long timezone;

/* ---- names ---- */

/* Names stay valid, as struct tm points to them. A program can make only so many of them. */
#define NAMES_MAX 4096

static const char *keep_name(const char *start, size_t length) {
    static struct name {
        struct name *next;
        char text[];
    } *first;
    static int count;
    for (struct name *name = first; name != NULL; name = name->next) {
        if (strncmp(name->text, start, length) == 0 && name->text[length] == 0) {
            return name->text;
        }
    }
    struct name *name = count < NAMES_MAX ? malloc(sizeof *name + length + 1) : NULL;
    if (name == NULL) {
        return "";
    }
    count++;
    memcpy(name->text, start, length);
    name->text[length] = 0;
    name->next = first;
    first = name;
    return name->text;
}

/* ---- POSIX rules ---- */

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

static int parse_name(const char **at, const char **name) {
    const char *start = *at, *end;
    int quoted = *start == '<';
    end = start += quoted;
    while (is_letter(*end) || (quoted && (is_digit(*end) || *end == '+' || *end == '-'))) {
        end++;
    }
    if (end - start < 3 || (quoted && *end != '>')) {
        return 0;
    }
    *name = keep_name(start, (size_t)(end - start));
    *at = end + quoted;
    return 1;
}

/* A number as scanf's %hu reads it: the upper bits are lost. */
static int parse_number(const char **at, unsigned *number) {
    const char *p = *at;
    int negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (!is_digit(*p)) {
        return 0;
    }
    unsigned long value = 0;
    for (; is_digit(*p); p++) {
        value = value > (ULONG_MAX - 9) / 10 ? ULONG_MAX : value * 10 + (unsigned long)(*p - '0');
    }
    *number = (uint16_t)(negative && value != ULONG_MAX ? -value : value);
    *at = p;
    return 1;
}

/* hh[:mm[:ss]] in seconds, which a time of day does not limit; returns how many of the three there were. */
static int parse_time(const char **at, unsigned hours, int is_offset, int32_t *seconds) {
    unsigned parts[3] = {hours, 0, 0};
    const char *p = *at;
    int found = 0;
    while (found < 3 && parse_number(&p, &parts[found])) {
        *at = p;
        found++;
        if (*p++ != ':') {
            break;
        }
    }
    static const unsigned maxima[] = {24, 59, 59};
    for (int i = 0; is_offset && i < 3; i++) {
        parts[i] = parts[i] > maxima[i] ? maxima[i] : parts[i];
    }
    *seconds = (int32_t)(parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return found;
}

/* The standard offset must be there; that of daylight time is an hour more when it is not. */
static int parse_offset(const char **at, struct rules *into, int which) {
    const char *p = *at;
    if (which == 0 && *p != '+' && *p != '-' && !is_digit(*p)) {
        return 0;
    }
    int sign = *p == '-' ? 1 : -1; /* TZ counts to the west */
    p += *p == '-' || *p == '+';
    int32_t seconds;
    *at = p;
    if (parse_time(&p, 0, 1, &seconds) > 0) {
        into->offsets[which] = sign * seconds;
        *at = p;
        return 1;
    }
    if (which == 0) {
        into->offsets[0] = 0;
        return 0;
    }
    into->offsets[1] = into->offsets[0] + 3600;
    return 1;
}

static int parse_date(const char **at, struct change *change, int which) {
    const char *p = *at;
    unsigned parts[3];
    if (*p == 'J' || is_digit(*p)) {
        int without_leap_day = *p == 'J';
        p += without_leap_day;
        char *end;
        unsigned long day = is_digit(*p) ? strtoul(p, &end, 10) : ULONG_MAX;
        if (day > 365 || (without_leap_day && day == 0)) {
            return 0;
        }
        *change = (struct change){without_leap_day ? JULIAN_WITHOUT_LEAP_DAY : DAY_OF_YEAR, 0, 0, (int)day, 0};
        p = end;
    } else if (*p == 'M') {
        p++;
        for (int i = 0; i < 3; i++) {
            if ((i > 0 && *p++ != '.') || !parse_number(&p, &parts[i])) {
                return 0;
            }
        }
        if (parts[0] < 1 || parts[0] > 12 || parts[1] < 1 || parts[1] > 5 || parts[2] > 6) {
            return 0;
        }
        *change = (struct change){DAY_OF_MONTH, (int)parts[0], (int)parts[1], (int)parts[2], 0};
    } else if (*p == 0) {
        /* Without rules, those of the United States. */
        *change = which == 0 ? (struct change){DAY_OF_MONTH, 3, 2, 0, 0} : (struct change){DAY_OF_MONTH, 11, 1, 0, 0};
    } else {
        return 0;
    }
    *at = p;
    return 1;
}

static int parse_change(const char **at, struct change *change, int which) {
    const char *p = *at + (**at == ',');
    if (!parse_date(&p, change, which) || (*p != 0 && *p != '/' && *p != ',')) {
        return 0;
    }
    if (*p == '/') {
        p++;
        int sign = *p == '-' ? -1 : 1;
        p += *p == '-';
        if (*p == 0) {
            return 0;
        }
        parse_time(&p, 2, 0, &change->seconds);
        change->seconds *= sign;
    } else {
        change->seconds = 2 * 3600;
    }
    *at = p;
    return 1;
}

/* What can be read of a rule stands, as with glibc: TZ=Nowhere/Town is UTC under the name of Nowhere. */
static void parse_rules(const char *text, struct rules *into) {
    *into = (struct rules){.names = {"", ""}, .changes = {{.kind = DAY_OF_YEAR}, {.kind = DAY_OF_YEAR}}};
    if (!parse_name(&text, &into->names[0]) || !parse_offset(&text, into, 0)) {
        return;
    }
    if (*text == 0) {
        into->names[1] = into->names[0];
        into->offsets[1] = into->offsets[0];
    } else if (parse_name(&text, &into->names[1])) {
        parse_offset(&text, into, 1);
        if (*text == 0 || (text[0] == ',' && text[1] == 0)) {
            text = "";
        }
        if (parse_change(&text, &into->changes[0], 0)) {
            parse_change(&text, &into->changes[1], 1);
        }
    }
}

static int is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Days from 1970 to January 1 of a year. */
static int64_t days_before(int64_t year) {
    int64_t y = year - 1;
    return (year - 1970) * 365 + floor_divide(y, 4) - floor_divide(y, 100) + floor_divide(y, 400) - 477;
}

static const short month_starts[2][13] = {
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
};

/* When a change happens in a year, if clocks are `offset` ahead until then. Rules begin in 1970, as with glibc: what is
 * earlier comes before any change of that year. */
static int64_t change_time(const struct change *change, int64_t year, int32_t offset) {
    int64_t day = year < 1970 ? 0 : days_before(year);
    int leap = is_leap(year);
    switch (change->kind) {
    case JULIAN_WITHOUT_LEAP_DAY: day += change->day - 1 + (leap && change->day >= 60); break;
    case DAY_OF_YEAR: day += change->day; break;
    case DAY_OF_MONTH: {
        const short *starts = month_starts[leap];
        int first = starts[change->month - 1];
        int weekday = (int)(((days_before(year) + first + 4) % 7 + 7) % 7);
        int in_month = (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
        int length = starts[change->month] - starts[change->month - 1];
        while (in_month >= length) {
            in_month -= 7;
        }
        day += first + in_month;
        break;
    }
    }
    return day * DAY + change->seconds - offset;
}

static int is_daylight(const struct rules *by, int64_t time, int64_t year) {
    int64_t begin = change_time(&by->changes[0], year, by->offsets[0]);
    int64_t end = change_time(&by->changes[1], year, by->offsets[1]);
    return begin > end ? time < end || time >= begin : time >= begin && time < end;
}

/* ---- the time zone database ---- */

/* Larger files are not time zones. */
#define FILE_MAX (256 << 10)

static int64_t big_endian(const unsigned char *at, size_t size) {
    int64_t number = (signed char)*at;
    while (--size > 0) {
        number = (int64_t)((uint64_t)number << 8 | *++at);
    }
    return number;
}

static unsigned char *read_file(const char *path, size_t *length) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char *content = fd < 0 ? NULL : malloc(FILE_MAX + 1);
    ssize_t got = content == NULL ? -1 : 0;
    *length = 0;
    while (got >= 0 && *length <= FILE_MAX && (got = read(fd, content + *length, FILE_MAX + 1 - *length)) > 0) {
        *length += (size_t)got;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (got < 0 || *length > FILE_MAX) {
        free(content);
        return NULL;
    }
    return content;
}

/* What a header of the file counts, and where that lies: the format is that of RFC 8536. */
struct block {
    size_t leaps, times, types, characters;
    const unsigned char *time_list, *kind_list, *type_list, *character_list, *end;
};

static int read_block(const unsigned char *at, const unsigned char *end, size_t time_size, struct block *block) {
    if (end - at < 44 || memcmp(at, "TZif", 4) != 0) {
        return 0;
    }
    size_t counts[6];
    for (int i = 0; i < 6; i++) {
        int64_t count = big_endian(at + 20 + 4 * i, 4);
        if (count < 0 || count > FILE_MAX) {
            return 0;
        }
        counts[i] = (size_t)count;
    }
    block->leaps = counts[2];
    block->times = counts[3];
    block->types = counts[4];
    block->characters = counts[5];
    block->time_list = at + 44;
    size_t size = block->times * (time_size + 1) + block->types * 6 + block->characters + block->leaps * (time_size + 4) +
                  counts[0] + counts[1];
    if (block->types == 0 || block->types > 256 || size > (size_t)(end - block->time_list)) {
        return 0;
    }
    block->kind_list = block->time_list + block->times * time_size;
    block->type_list = block->kind_list + block->times;
    block->character_list = block->type_list + block->types * 6;
    block->end = block->time_list + size;
    return 1;
}

static void free_zone(struct zone *old) {
    if (old != NULL) {
        free(old->times);
        free(old->kinds);
        free(old->types);
        free(old);
    }
}

static struct zone *new_zone(const struct block *block, size_t time_size) {
    struct zone *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->count = block->times;
    made->type_count = block->types;
    made->times = malloc(block->times * sizeof *made->times + 1);
    made->kinds = malloc(block->times + 1);
    made->types = malloc(block->types * sizeof *made->types);
    int good = made->times != NULL && made->kinds != NULL && made->types != NULL;
    for (size_t i = 0; good && i < block->times; i++) {
        made->times[i] = big_endian(block->time_list + i * time_size, time_size);
        made->kinds[i] = block->kind_list[i];
        good = made->kinds[i] < block->types && (i == 0 || made->times[i] > made->times[i - 1]);
    }
    for (size_t i = 0; good && i < block->types; i++) {
        const unsigned char *type = block->type_list + i * 6;
        size_t name = type[5], length = name < block->characters ? block->characters - name : 0;
        const char *text = (const char *)block->character_list + name;
        good = length > 0;
        if (good) {
            made->types[i] = (struct type){(int32_t)big_endian(type, 4), type[4] != 0, keep_name(text, strnlen(text, length))};
        }
    }
    if (!good) {
        free_zone(made);
        return NULL;
    }
    return made;
}

static struct zone *parse_zone(const unsigned char *content, size_t length) {
    const unsigned char *end = content + length;
    struct block block;
    if (!read_block(content, end, 4, &block)) {
        return NULL;
    }
    if (content[4] == 0) {
        return new_zone(&block, 4);
    }
    if (!read_block(block.end, end, 8, &block)) {
        return NULL;
    }
    struct zone *made = new_zone(&block, 8);
    const unsigned char *line = block.end, *line_end;
    if (made != NULL && line < end && *line == '\n' && (line_end = memchr(line + 1, '\n', (size_t)(end - line) - 1)) != NULL) {
        char text[256];
        size_t size = (size_t)(line_end - line) - 1;
        if (size > 0 && size < sizeof text) {
            memcpy(text, line + 1, size);
            text[size] = 0;
            parse_rules(text, &made->rules);
            made->has_rules = 1;
        }
    }
    return made;
}

static struct zone *load_zone(const char *name) {
    char path[PATH_MAX];
    const char *folder = getenv("TZDIR");
    if (folder == NULL || *folder == 0) {
        folder = "/usr/share/zoneinfo";
    }
    size_t folder_length = *name == '/' ? 0 : strlen(folder) + 1, name_length = strlen(name);
    if (folder_length + name_length >= sizeof path) {
        return NULL;
    }
    if (folder_length > 0) {
        memcpy(path, folder, folder_length - 1);
        path[folder_length - 1] = '/';
    }
    memcpy(path + folder_length, name, name_length + 1);
    int error = errno;
    size_t length;
    unsigned char *content = read_file(path, &length);
    struct zone *made = content == NULL ? NULL : parse_zone(content, length);
    free(content);
    errno = error;
    return made;
}

/* ---- state ---- */

static void name_zones(const char *standard, const char *dst) {
    tzname[0] = (char *)(standard == NULL ? dst : standard);
    tzname[1] = (char *)(dst == NULL ? standard : dst);
}

/* Looks at TZ again, if it is not the same. */
static void update(void) {
    const char *tz = getenv("TZ");
    if (tz == NULL) {
        tz = "/etc/localtime";
    } else if (*tz == ':') {
        tz++;
    }
    if (*tz == 0) {
        tz = "Universal";
    }
    initialised = 1;
    if (known != NULL && strcmp(known, tz) == 0) {
        return;
    }
    free(known);
    known = strdup(tz);
    free_zone(zone);
    zone = load_zone(tz);
    if (zone == NULL) {
        parse_rules(strcmp(tz, "/etc/localtime") == 0 || strcmp(tz, "Universal") == 0 ? "UTC0" : tz, &rules);
    }
    if (zone == NULL) {
        name_zones(rules.names[0], rules.names[1]);
        daylight = rules.offsets[0] != rules.offsets[1];
        timezone = -rules.offsets[0];
        return;
    }
    const struct type *last[2] = {NULL, NULL};
    for (size_t i = zone->count; i-- > 0 && (last[0] == NULL || last[1] == NULL);) {
        const struct type *type = &zone->types[zone->kinds[i]];
        last[type->is_dst] = last[type->is_dst] == NULL ? type : last[type->is_dst];
    }
    last[0] = last[0] != NULL ? last[0] : last[1] != NULL ? last[1] : zone->types;
    name_zones(last[0]->name, last[1] == NULL ? NULL : last[1]->name);
    daylight = last[1] != NULL;
    timezone = -last[0]->offset;
}

void tzset(void) { update(); }

/* The type that holds at a time, NULL when that is for rules; also sets the names of it and of what comes next. */
static const struct type *find_type(int64_t time) {
    size_t low = 0, high = zone->count;
    const struct type *type;
    const char *names[2] = {NULL, NULL};
    if (high == 0 || time < zone->times[0]) {
        size_t first[2] = {zone->type_count, zone->type_count};
        for (size_t i = zone->type_count; i-- > 0;) {
            first[zone->types[i].is_dst] = i;
            names[zone->types[i].is_dst] = zone->types[i].name;
        }
        type = &zone->types[first[0] < zone->type_count ? first[0] : 0];
    } else if (time >= zone->times[high - 1] && zone->has_rules) {
        return NULL;
    } else {
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if (zone->times[middle] <= time) {
                low = middle;
            } else {
                high = middle;
            }
        }
        type = &zone->types[zone->kinds[low]];
    }
    names[type->is_dst] = type->name;
    for (; high < zone->count && names[!type->is_dst] == NULL; high++) {
        const struct type *next = &zone->types[zone->kinds[high]];
        names[next->is_dst] = names[next->is_dst] == NULL ? next->name : names[next->is_dst];
    }
    name_zones(names[0], names[1]);
    return type;
}

static struct tm *local_time(time_t time, struct tm *tm) {
    struct tm utc;
    if (gmtime_r(&time, &utc) == NULL) {
        return NULL;
    }
    const struct type *type = zone == NULL ? NULL : find_type(time);
    struct type by_rules;
    if (type == NULL) {
        const struct rules *by = zone == NULL ? &rules : &zone->rules;
        int dst = is_daylight(by, time, (int64_t)utc.tm_year + 1900);
        name_zones(by->names[0], by->names[1]);
        by_rules = (struct type){by->offsets[dst], (unsigned char)dst, by->names[dst]};
        type = &by_rules;
    }
    /* Near the ends of time the sum overflows, but then gmtime_r has failed already. */
    time_t shifted = time + type->offset;
    if (gmtime_r(&shifted, tm) == NULL) {
        return NULL;
    }
    tm->tm_isdst = type->is_dst;
    tm->tm_gmtoff = type->offset;
    tm->tm_zone = type->name;
    return tm;
}

struct tm *localtime_r(const time_t *restrict time, struct tm *restrict tm) {
    if (!initialised) {
        update();
    }
    return local_time(*time, tm);
}

struct tm *localtime(const time_t *time) {
    static struct tm tm;
    update();
    return local_time(*time, &tm);
}

/* ---- mktime ---- */

/* Seconds from 1970 to a date and time whose fields may be out of range, in UTC. */
static int64_t seconds_since_1970(int64_t year, int64_t day, int64_t hour, int64_t minute, int64_t second) {
    return (days_before(year) + day) * DAY + hour * 3600 + minute * 60 + second;
}

/* How far the wall clock `tm` is behind the one that is wanted. */
static int64_t distance(int64_t wanted, const struct tm *tm) {
    return wanted -
           seconds_since_1970((int64_t)tm->tm_year + 1900, tm->tm_yday, tm->tm_hour, tm->tm_min, tm->tm_sec);
}

static int differs(int wanted, int found) { return wanted >= 0 && found >= 0 && !wanted != !found; }

/* How far to look for a time with the wanted tm_isdst, and in which steps: as glibc does. */
#define SEARCH_STEP 601200
#define SEARCH_MAX (457243209 / 2 + SEARCH_STEP)

static int search_daylight(int64_t *time, int64_t wanted, int is_dst, struct tm *tm) {
    int64_t hour_away = *time + 3600 * ((is_dst == 0) - (tm->tm_isdst == 0));
    for (int64_t delta = SEARCH_STEP; delta < SEARCH_MAX; delta += SEARCH_STEP) {
        for (int direction = -1; direction <= 1; direction += 2) {
            int64_t other = *time + delta * direction;
            if (local_time(other, tm) == NULL) {
                return 0;
            }
            if (!differs(is_dst, tm->tm_isdst)) {
                *time = other + distance(wanted, tm);
                return local_time(*time, tm) != NULL;
            }
        }
    }
    *time = hour_away; /* daylight time as it mostly is */
    return local_time(*time, tm) != NULL;
}

time_t mktime(struct tm *tm) {
    static int64_t last_offset; /* of the time found last, where the search for the next begins */
    update();
    int64_t month = tm->tm_mon, year = (int64_t)tm->tm_year + 1900 + floor_divide(month, 12);
    int64_t day = month_starts[is_leap(year)][month - floor_divide(month, 12) * 12] + (int64_t)tm->tm_mday - 1;
    int second = tm->tm_sec < 0 ? 0 : tm->tm_sec > 59 ? 59 : tm->tm_sec;
    int64_t wanted = seconds_since_1970(year, day, tm->tm_hour, tm->tm_min, second);
    int64_t first = wanted - last_offset, time = first, before = first, before_that = first;
    int was_dst = 0, is_dst = tm->tm_isdst, probes = 6, found = 0;
    struct tm local;
    while (!found) {
        if (local_time(time, &local) == NULL) {
            return -1;
        }
        int64_t rest = distance(wanted, &local);
        if (rest == 0) {
            break;
        }
        int found_dst = local.tm_isdst != 0;
        /* Two guesses take turns: this time does not exist. */
        found = time == before_that && time != before && (is_dst < 0 ? was_dst <= found_dst : (is_dst != 0) != found_dst);
        if (found) {
            break;
        }
        if (--probes == 0) {
            errno = EOVERFLOW;
            return -1;
        }
        before_that = before;
        before = time;
        time += rest;
        was_dst = found_dst;
    }
    if (!found && differs(is_dst, local.tm_isdst) && !search_daylight(&time, wanted, is_dst, &local)) {
        return -1;
    }
    last_offset = wanted - time;
    if (tm->tm_sec != local.tm_sec) {
        time += tm->tm_sec - second;
        if (local_time(time, &local) == NULL) {
            return -1;
        }
    }
    *tm = local;
    return time;
}
