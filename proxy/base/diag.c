#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void make_printable(char *text)
{
    size_t left = strlen(text), n;

    for (char *p = text; left > 0; p += n, left -= n) {
        n = utf8_visible(p, left);
        if (n == 0) {
            *p = '?';
            n = 1;
        }
    }
}

/* What is too long loses its middle: the place stands in front, the cure at the end. */
static void shorten(struct diag *d, const char *whole, size_t n)
{
    static const char gap[] = "...";
    const size_t front = sizeof(d->text) / 2, back = sizeof(d->text) - front - sizeof(gap);

    if (n < sizeof(d->text)) {
        memcpy(d->text, whole, n + 1);
        return;
    }
    memcpy(d->text, whole, front);
    memcpy(d->text + front, gap, sizeof(gap) - 1);
    memcpy(d->text + front + sizeof(gap) - 1, whole + n - back, back + 1);
}

void diag_vset(struct diag *d, const char *format, va_list args)
{
    char *whole;
    int n = vasprintf(&whole, format, args);

    if (n < 0)
        abort(); /* see mem.h */
    shorten(d, whole, (size_t)n);
    make_printable(d->text);
    free(whole);
}

void diag_set(struct diag *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_vset(d, format, args);
    va_end(args);
}

void diag_prefix(struct diag *d, const char *format, ...)
{
    struct diag old = *d, prefix;
    va_list args;

    va_start(args, format);
    diag_vset(&prefix, format, args);
    va_end(args);
    diag_set(d, "%s: %s", prefix.text, old.text);
}
