#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 1024 };

static void *or_abort(void *p)
{
    if (p == NULL) {
        (void)fputs("sfmtls: out of memory\n", stderr);
        abort();
    }
    return p;
}

/* glibc's cache of small blocks serves malloc(), but not calloc(). */
void *mem_new(size_t size)
{
    if (size > SMALL)
        return or_abort(calloc(1, size));
    void *p = or_abort(malloc(size));
    memset(p, 0, size);
    return p;
}

void *mem_grow(void *old, size_t size)
{
    return or_abort(realloc(old, size));
}

char *mem_copy_bytes(const char *p, size_t n)
{
    char *copy = or_abort(malloc(n + 1));

    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

char *mem_copy_string(const char *s)
{
    return s == NULL ? NULL : mem_copy_bytes(s, strlen(s));
}

char *mem_format(const char *format, ...)
{
    va_list args;
    char *s = NULL;

    va_start(args, format);
    int n = vasprintf(&s, format, args);
    va_end(args);
    return or_abort(n < 0 ? NULL : s);
}
