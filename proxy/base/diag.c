#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printable(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
}

void diag_set(struct diag *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(d->text, sizeof(d->text), format, args);
    va_end(args);
    make_printable(d->text);
}

void diag_prefix(struct diag *d, const char *format, ...)
{
    struct diag old = *d;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(d->text, sizeof(d->text), format, args);
    va_end(args);
    size_t n = strlen(d->text);
    (void)snprintf(d->text + n, sizeof(d->text) - n, ": %s", old.text);
    make_printable(d->text);
}
