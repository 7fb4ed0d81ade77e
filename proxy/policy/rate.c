#include "policy/rate.h"

#include <stdlib.h>

#include "base/mem.h"

void rate_set(struct rate *r, size_t limit)
{
    r->limit = limit;
    if (limit <= r->nslots)
        return;
    r->slots = mem_grow(r->slots, limit * sizeof(r->slots[0]));
    while (r->nslots < limit)
        r->slots[r->nslots++] = 0;
}

void rate_free(struct rate *r)
{
    free(r->slots);
}

/* A slot that may be taken; RATE_NO_SLOT if `limit` slots are taken. */
static int find_free(const struct rate *r, int64_t now)
{
    size_t taken = 0;
    int found = RATE_NO_SLOT;

    for (size_t i = 0; i < r->nslots; i++) {
        if (r->slots[i] > now)
            taken++;
        else
            found = (int)i;
    }
    return taken < r->limit ? found : RATE_NO_SLOT;
}

int rate_take(struct rate *r, int64_t now)
{
    if (now < r->held)
        return RATE_NO_SLOT;
    if (r->limit == 0)
        return RATE_UNCOUNTED;
    int slot = find_free(r, now);
    if (slot >= 0)
        r->slots[slot] = RATE_NEVER;
    return slot;
}

void rate_note_sent(struct rate *r, int slot, int64_t now)
{
    if (slot >= 0)
        r->slots[slot] = now + RATE_TRANSIT_US + RATE_WINDOW_US;
}

/* After RATE_TRANSIT_US another request may have the slot. */
void rate_note_answer(struct rate *r, int slot, int64_t sent, int64_t now)
{
    if (slot >= 0 && now - sent < RATE_TRANSIT_US)
        r->slots[slot] = now + RATE_WINDOW_US;
}

void rate_give_back(struct rate *r, int slot)
{
    if (slot >= 0)
        r->slots[slot] = 0;
}

void rate_hold(struct rate *r, int64_t until)
{
    if (until > r->held)
        r->held = until;
}

int64_t rate_next(const struct rate *r, int64_t now)
{
    int64_t next = r->limit == 0 || find_free(r, now) >= 0 ? r->held : RATE_NEVER;

    for (size_t i = 0; i < r->nslots; i++)
        if (r->slots[i] > now && r->slots[i] < next)
            next = r->slots[i];
    return next < r->held ? r->held : next;
}
