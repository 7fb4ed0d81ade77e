/*
 * season: when BTP is asked for a certificate again. Pure.
 *
 * Daily; from the time on when BTP renews it, or from the last third of its
 * life, whichever is later, more often: first each minute, then less and less.
 * After failures less and less, too. Never twice within 60 seconds.
 */
#ifndef BTP_SEASON_H
#define BTP_SEASON_H

#include <stdbool.h>
#include <stdint.h>

enum { SEASON_LEAST_S = 60 };

/* All times in seconds since 1970. */
struct season {
    int64_t not_before, not_after; /* of the certificate that is here; 0: there is none */
    int64_t looked;                /* when it was looked last; 0: never */
    int64_t wait;                  /* that BTP has asked for then; seconds */
    int failures;                  /* since it last worked */
    int unchanged;                 /* how often it was looked in vain since the season began */
};

/* When the season begins: BTP has renewed the certificate by then. */
int64_t season_begins(int64_t not_before, int64_t not_after);

/* When to look next. chance: any number; it spreads machines. */
int64_t season_next(const struct season *s, int64_t now, uint32_t chance);

#endif
