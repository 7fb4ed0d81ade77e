#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* The number of bytes that stay in front if the text is too long. */
enum { FRONT = sizeof(((struct diag *)NULL)->text) / 2 };

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* A text that is too long loses its middle, because the place is in front and the cure at the
 * end. */
static void shorten(struct diag *d, const char *whole, size_t n)
{
    static const char gap[] = "...";
    size_t front = FRONT, back = sizeof(d->text) - front - sizeof(gap);

    if (n < sizeof(d->text)) {
        memcpy(d->text, whole, n + 1);
        return;
    }
    while (is_inside_character(whole[front]))
        front--;
    while (is_inside_character(whole[n - back]))
        back--;
    memcpy(d->text, whole, front);
    memcpy(d->text + front, gap, sizeof(gap) - 1);
    memcpy(d->text + front + sizeof(gap) - 1, whole + n - back, back + 1);
}

void diag_vset(struct diag *d, const char *format, va_list args)
{
    char *whole, *visible;

    d->place = 0;

    if (vasprintf(&whole, format, args) < 0)
        abort(); /* see mem.h */
    visible = utf8_escape(whole);
    shorten(d, visible, strlen(visible));
    free(visible);
    free(whole);
}

void diag_set(struct diag *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_vset(d, format, args);
    va_end(args);
}

void diag_place(struct diag *d, const char *place)
{
    struct diag old = *d, visible;

    diag_set(&visible, "%s", place);
    diag_set(d, "%s: %s", visible.text, old.text);
    d->place = (unsigned)strlen(visible.text);
    if (d->place > FRONT)
        d->place = 0; /* the text may have lost its end */
}

void diag_place_line(struct diag *d, const char *file, int line)
{
    struct diag place;

    diag_set(&place, "%s:%d", file, line);
    diag_place(d, place.text);
}

void diag_at(struct diag *d, const char *place, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_vset(d, format, args);
    va_end(args);
    diag_place(d, place);
}

void diag_at_line(struct diag *d, const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_vset(d, format, args);
    va_end(args);
    diag_place_line(d, file, line);
}

bool diag_is_at(const struct diag *d, const char *place)
{
    return d->place != 0 && strlen(place) == d->place && memcmp(d->text, place, d->place) == 0;
}

const char *diag_sentence(const struct diag *d)
{
    return d->place == 0 ? d->text : d->text + d->place + 2;
}
