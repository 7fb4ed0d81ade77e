/*
 * season: when to ask BTP for a certificate again. Pure.
 *
 * Usually once a day. The season begins when BTP renews the certificate, or
 * with the last third of its validity, whichever is later. From then on BTP is
 * asked after a minute, and then less and less often. After failures too it is
 * asked less and less often. There are always at least 60 seconds between two
 * requests.
 */
#ifndef BTP_SEASON_H
#define BTP_SEASON_H

#include <stdbool.h>
#include <stdint.h>

enum { SEASON_LEAST_S = 60 };

/* All times are seconds since 1970. */
struct season {
    int64_t not_before, not_after; /* of the certificate in the store; 0: there is none */
    int64_t looked;                /* when BTP was last asked; 0: never */
    int64_t wait;                  /* the pause that BTP asked for then, in seconds */
    int failures;                  /* number of failures since the last success */
    int unchanged;                 /* looks in this season that found no new certificate */
};

/* When the season begins: BTP should have renewed the certificate by then. */
int64_t season_begins(int64_t not_before, int64_t not_after);

/* When to ask next. chance: any number; it makes different machines ask at different times. */
int64_t season_next(const struct season *s, int64_t now, uint32_t chance);

#endif
