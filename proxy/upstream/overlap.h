/*
 * overlap: which of a tenant's two certificates is in use.
 *
 * `certificate-next` is configured beside `certificate` for the time in which
 * the server gets to know the new one (SuccessFactors has to synchronise its
 * mapping first). When the server refuses the certificate in use, one request
 * tries the other. All requests follow only after that one got an answer that
 * is no refusal. All workers share the state, without a lock. It is lost when
 * the process ends.
 */
#ifndef UPSTREAM_OVERLAP_H
#define UPSTREAM_OVERLAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { OVERLAP_PAUSE_MS = 60 * 1000 }; /* least time between two tries */

struct overlap {
    _Atomic int in_use; /* IDENTITY_CURRENT or IDENTITY_NEXT */
    /* The server refused the certificate in use for a request that could not be repeated. */
    atomic_bool suspected;
    _Atomic int64_t tried; /* monotonic ms of the last try; 0: never */
    /* When the certificate in use came into use, in microseconds since 1970; 0: at the start. */
    _Atomic int64_t switched;
};

void overlap_init(struct overlap *o);

static inline int overlap_in_use(const struct overlap *o)
{
    return atomic_load_explicit(&o->in_use, memory_order_acquire);
}

/* Takes the right to try the certificate that is not in use: succeeds at most once in
 * OVERLAP_PAUSE_MS. now_ms: monotonic. */
bool overlap_take_try(struct overlap *o, int64_t now_ms);

/* Makes the next request the one that tries the other certificate. Returns true if that was not so
 * before. */
bool overlap_suspect(struct overlap *o);
static inline bool overlap_is_suspected(const struct overlap *o)
{
    return atomic_load_explicit(&o->suspected, memory_order_relaxed);
}
void overlap_trust(struct overlap *o); /* the server has accepted the one in use */

/* Brings the identity `to` into use. Returns true if the other one was in use. now_us: since
 * 1970. */
bool overlap_switch(struct overlap *o, int to, int64_t now_us);

#endif
