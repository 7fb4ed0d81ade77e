#include "ops/expiry.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/status.h"

int expiry_stage(int64_t seconds_left)
{
    static const int days[] = {30, 14, 7, 3, 1};
    int stage = 0;

    for (size_t i = 0; i < ARRAY_LEN(days); i++)
        stage += seconds_left <= (int64_t)days[i] * SECONDS_PER_DAY ? 1 : 0;
    return seconds_left > 0 ? stage : stage + 1 + (int)(-seconds_left / SECONDS_PER_DAY);
}

void expiry_free(struct expiry *e)
{
    free(e->told);
    *e = (struct expiry){NULL, 0};
}

void expiry_start(struct expiry *e, size_t n)
{
    expiry_free(e);
    e->told = mem_new(n * sizeof(e->told[0]));
    e->n = n;
}

bool expiry_is_due(struct expiry *e, size_t i, int64_t seconds_left)
{
    int stage = expiry_stage(seconds_left);
    bool due = stage > e->told[i];

    if (due)
        e->told[i] = stage;
    return due;
}
