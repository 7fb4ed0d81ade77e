#include "btp/wiping.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static void wipe_and_free(void *p)
{
    if (p != NULL)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

void wiping_begin(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}
