#include "upstream/overlap.h"

void overlap_init(struct overlap *o)
{
    atomic_init(&o->in_use, 0);
    atomic_init(&o->suspected, false);
    atomic_init(&o->tried, 0);
    atomic_init(&o->switched, 0);
}

bool overlap_take_try(struct overlap *o, int64_t now_ms)
{
    int64_t last = atomic_load(&o->tried);

    if (last != 0 && now_ms - last < OVERLAP_PAUSE_MS)
        return false;
    return atomic_compare_exchange_strong(&o->tried, &last, now_ms);
}

bool overlap_suspect(struct overlap *o)
{
    return !atomic_exchange(&o->suspected, true);
}

void overlap_trust(struct overlap *o)
{
    atomic_store(&o->suspected, false);
}

bool overlap_switch(struct overlap *o, int to, int64_t now_us)
{
    atomic_store(&o->suspected, false);
    if (atomic_exchange(&o->in_use, to) == to)
        return false;
    atomic_store_explicit(&o->switched, now_us, memory_order_relaxed);
    return true;
}
