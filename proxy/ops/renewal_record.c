#include "ops/renewal_record.h"

#include <string.h>

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

/* Up to the year 9999, because a date has four digits. */
static bool is_time(int64_t s)
{
    return s >= 0 && s < INT64_C(253402300800);
}

bool renewal_record_is_sound(const struct renewal_record *r, long n)
{
    return n == (long)sizeof(*r) && r->mark == RENEWAL_MARK && r->outcome < RENEWAL_OUTCOMES &&
           r->cause < CAUSE_COUNT && is_time(r->time) && is_time(r->next) &&
           is_time(r->not_before) && is_time(r->not_after) && is_time(r->looked) &&
           is_time(r->wait) && ends(r->tenant, sizeof(r->tenant)) &&
           ends(r->sentence, sizeof(r->sentence));
}
