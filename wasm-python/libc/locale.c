/* The locales of a slim Debian: C, POSIX and C.UTF-8; any other name is refused, where musl takes all of them. */
#include <langinfo.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Categories by glibc's numbers, which for those that musl has are the same. */
static const char *const categories[] = {
    "LC_CTYPE", "LC_NUMERIC", "LC_TIME",    "LC_COLLATE",   "LC_MONETARY",    "LC_MESSAGES",       NULL,
    "LC_PAPER", "LC_NAME",    "LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION",
};
#define COUNT ((int)(sizeof categories / sizeof *categories))

#define NAME_MAX_BYTES 63

/* As after the start of Python, which sets the one that says how text is encoded. */
static char names[COUNT][NAME_MAX_BYTES + 1] = {"C.UTF-8", "C", "C", "C", "C", "C", "", "C", "C", "C", "C", "C", "C"};

/* The name under which a locale is set, or NULL when there is none. */
static const char *find_locale(const char *name) {
    if (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0) {
        return "C";
    }
    if (strncmp(name, "C.", 2) != 0 || strlen(name) > NAME_MAX_BYTES) {
        return NULL;
    }
    size_t length = strcspn(name + 2, "@");
    int is_utf8 = (length == 5 && strncasecmp(name + 2, "utf-8", 5) == 0) ||
                  (length == 4 && strncasecmp(name + 2, "utf8", 4) == 0);
    return is_utf8 ? name : NULL;
}

/* What the environment asks for. Without a word of it, text is UTF-8 all the same. */
static const char *from_environment(int category) {
    const char *const variables[] = {"LC_ALL", categories[category], "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && *value != 0) {
            return value;
        }
    }
    return category == LC_CTYPE ? "C.UTF-8" : "C";
}

/* Part of `LC_CTYPE=…;LC_NUMERIC=…`: the value for a category, in `value`. */
static const char *value_of(const char *all, int category, char *value) {
    size_t length = strlen(categories[category]);
    for (const char *part = all; part != NULL; part = strchr(part, ';')) {
        part += *part == ';';
        size_t size = strcspn(part, ";");
        if (strncmp(part, categories[category], length) == 0 && part[length] == '=' && size - length - 1 <= NAME_MAX_BYTES) {
            memcpy(value, part + length + 1, size - length - 1);
            value[size - length - 1] = 0;
            return value;
        }
    }
    return NULL;
}

static char *all_names(void) {
    static char all[COUNT * (NAME_MAX_BYTES + sizeof "LC_IDENTIFICATION=;")];
    int same = 1;
    size_t length = 0;
    for (int i = 0; i < COUNT; i++) {
        if (i != LC_ALL) {
            same &= strcmp(names[i], names[0]) == 0;
            length += (size_t)sprintf(all + length, "%s%s=%s", i == 0 ? "" : ";", categories[i], names[i]);
        }
    }
    return same ? names[0] : all;
}

/* musl's own tables are for UTF-8 from the first call on, whatever name is set. */
static void use_utf8(void) {
    static int done;
    if (!done) {
        done = 1;
        uselocale(newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0));
    }
}

char *setlocale(int category, const char *name) {
    use_utf8();
    if (category < 0 || category >= COUNT) {
        return NULL;
    }
    if (name != NULL) {
        const char *found[COUNT];
        char values[COUNT][NAME_MAX_BYTES + 1];
        int first = category == LC_ALL ? 0 : category, end = category == LC_ALL ? COUNT : category + 1;
        int is_list = category == LC_ALL && strchr(name, ';') != NULL;
        for (int i = first; i < end; i++) {
            if (i != LC_ALL) {
                const char *wanted = is_list ? value_of(name, i, values[i]) : *name == 0 ? from_environment(i) : name;
                found[i] = wanted == NULL ? NULL : find_locale(wanted);
                if (found[i] == NULL) {
                    return NULL;
                }
            }
        }
        for (int i = first; i < end; i++) {
            if (i != LC_ALL && found[i] != names[i]) {
                strcpy(names[i], found[i]);
            }
        }
    }
    return category == LC_ALL ? all_names() : names[category];
}

char *nl_langinfo(nl_item item) {
    static const char *const times[] = {
        "Sun",     "Mon",         "Tue",      "Wed",     "Thu",      "Fri",         "Sat",         "Sunday",   "Monday",
        "Tuesday", "Wednesday",   "Thursday", "Friday",  "Saturday", "Jan",         "Feb",         "Mar",      "Apr",
        "May",     "Jun",         "Jul",      "Aug",     "Sep",      "Oct",         "Nov",         "Dec",      "January",
        "February", "March",      "April",    "May",     "June",     "July",        "August",      "September", "October",
        "November", "December",   "AM",       "PM",      "%a %b %e %H:%M:%S %Y", "%m/%d/%y",     "%H:%M:%S", "%I:%M:%S %p",
    };
    if (item == CODESET) {
        return strcmp(names[LC_CTYPE], "C") == 0 ? "ANSI_X3.4-1968" : "UTF-8";
    }
    if (item >= ABDAY_1 && item < ABDAY_1 + (int)(sizeof times / sizeof *times)) {
        return (char *)times[item - ABDAY_1];
    }
    switch (item) {
    case RADIXCHAR: return ".";
    case YESEXPR: return "^[yY]";
    case NOEXPR: return "^[nN]";
    case CRNCYSTR: return "-";
    default: return "";
    }
}

/* ---- messages: there are no catalogues, so that each text is its own translation ---- */

char *gettext(const char *text) { return (char *)text; }
char *dgettext(const char *domain, const char *text) { return (char *)text; }
char *dcgettext(const char *domain, const char *text, int category) { return (char *)text; }

#define DOMAIN_MAX_BYTES 255

char *textdomain(const char *domain) {
    static char current[DOMAIN_MAX_BYTES + 1] = "messages";
    if (domain != NULL && strlen(domain) <= DOMAIN_MAX_BYTES) {
        strcpy(current, *domain == 0 ? "messages" : domain);
    }
    return current;
}

/* What a program has said of one domain. */
struct binding {
    struct binding *next;
    char *folder, *codeset;
    char domain[];
};

/* A program that makes up names has them remembered until here. */
#define BINDINGS_MAX 1024

static struct binding *binding_of(const char *domain) {
    static struct binding *first;
    static int count;
    if (domain == NULL || *domain == 0) {
        return NULL;
    }
    for (struct binding *binding = first; binding != NULL; binding = binding->next) {
        if (strcmp(binding->domain, domain) == 0) {
            return binding;
        }
    }
    struct binding *binding = count < BINDINGS_MAX ? malloc(sizeof *binding + strlen(domain) + 1) : NULL;
    if (binding != NULL) {
        *binding = (struct binding){.next = first};
        strcpy(binding->domain, domain);
        first = binding;
        count++;
    }
    return binding;
}

static void set(char **to, const char *value) {
    char *copy = value == NULL ? NULL : strdup(value);
    if (copy != NULL) {
        free(*to);
        *to = copy;
    }
}

char *bindtextdomain(const char *domain, const char *folder) {
    struct binding *binding = binding_of(domain);
    if (binding == NULL) {
        return NULL;
    }
    set(&binding->folder, folder);
    return binding->folder == NULL ? "/usr/share/locale" : binding->folder;
}

char *bind_textdomain_codeset(const char *domain, const char *codeset) {
    struct binding *binding = binding_of(domain);
    if (binding == NULL) {
        return NULL;
    }
    set(&binding->codeset, codeset);
    return binding->codeset;
}
