#include "net/name_service.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

/* As far as a name goes: what stands in brackets is no module. */
static void load(struct slice name)
{
    char *path = mem_format("libnss_%.*s.so.2", (int)name.n, name.p);

    (void)dlopen(path, RTLD_NOW | RTLD_LOCAL); /* one that is missing is skipped by lookups, too */
    free(path);
}

static bool is_module(struct slice word)
{
    for (size_t i = 0; i < word.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", word.p[i]) == NULL)
            return false;
    return word.n > 0;
}

/* "hosts: files mdns4_minimal [NOTFOUND=return] dns # why" */
static void load_line(struct slice line)
{
    struct slice words = slice_split(&line, '#');

    struct slice kind = slice_trim(slice_split(&words, ':'));

    if (!slice_eq(kind, SLICE("hosts")) && !slice_eq(kind, SLICE("passwd")) &&
        !slice_eq(kind, SLICE("group")))
        return;
    while (words.n > 0) {
        struct slice word = slice_trim(slice_split(&words, ' '));
        if (is_module(word))
            load(word);
    }
}

void name_service_load(void)
{
    struct buf text = {0};
    struct diag ignored;

    if (file_read("/etc/nsswitch.conf", &text, &ignored) != ST_OK)
        return;
    for (char *p = text.p; p < text.p + text.n; p++)
        if (*p == '\t')
            *p = ' ';
    struct slice rest = buf_slice(&text);
    while (rest.n > 0)
        load_line(slice_split(&rest, '\n'));
    buf_free(&text);
}
