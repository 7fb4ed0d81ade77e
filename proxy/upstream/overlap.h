/*
 * overlap: which of a tenant's two certificates is in use.
 *
 * `certificate-next` is beside `certificate` while the server learns of it
 * (SF synchronises its mapping first). When the one in use is refused, one
 * request tries the other; all follow only once that one got an answer that is
 * no refusal. Shared by all workers, without a lock; forgotten at the end of
 * the process.
 */
#ifndef UPSTREAM_OVERLAP_H
#define UPSTREAM_OVERLAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { OVERLAP_PAUSE_MS = 60 * 1000 }; /* between two tries */

struct overlap {
    _Atomic int in_use;    /* index into the tenant's identities */
    atomic_bool suspected; /* it was refused to a request that could not be repeated */
    _Atomic int64_t tried; /* when the other one was tried last; 0: never */
    _Atomic int64_t
        switched; /* when the one in use came into use; 0: it always was. Wall clock, us */
};

void overlap_init(struct overlap *o);

static inline int overlap_in_use(const struct overlap *o)
{
    return atomic_load_explicit(&o->in_use, memory_order_acquire);
}

/* Takes the right to try the certificate that is not in use: true at most once in OVERLAP_PAUSE_MS.
 * now_ms: monotonic. */
bool overlap_take_try(struct overlap *o, int64_t now_ms);

/* The next request is to be the try. True if that is news. */
bool overlap_suspect(struct overlap *o);
static inline bool overlap_is_suspected(const struct overlap *o)
{
    return atomic_load_explicit(&o->suspected, memory_order_relaxed);
}
void overlap_trust(struct overlap *o); /* the one in use has just been accepted */

/* From now on `to` is in use. True if it was not. now_us: of the wall clock. */
bool overlap_switch(struct overlap *o, int to, int64_t now_us);

#endif
