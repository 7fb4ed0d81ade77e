/*
 * hint: why the server answered with an error, for whoever called: the cause,
 * what this process knows of it besides, and the cure. It travels as one more
 * field of the server's answer, an Item of RFC 9651:
 *
 *     Sfmtls-Hint: auth0032; cause="..."; cure="..."
 */
#ifndef EXCHANGE_HINT_H
#define EXCHANGE_HINT_H

#include "caller/ledger.h"
#include "sf/cause.h"

enum { HINT_MAX = 1023 }; /* bytes of the field's value */

/* What the process knows. */
struct hint_history {
    const struct tenant *tenant;
    int identity; /* under which the request was sent */
    bool forwards_authorization;
    struct ledger_sum past;
    int64_t loaded;   /* the configuration in use; this and the next in us since 1970 */
    int64_t switched; /* another certificate came into use; 0: never */
    int64_t now;
};

/* Appends (and ends with a NUL that does not count) the cause in this case: the row's sentence, and
 * of the history what bears upon it, as long as all of the hint has room. */
void hint_write_sentence(struct buf *out, const struct cause *c, const struct cause_found *found,
                         const struct hint_history *h);

/* The same without history, as whoever has none says it (`sfmtls check`): the beginning of the
 * above. Without the NUL. */
void hint_write_known(struct buf *out, const struct cause *c, const struct cause_found *found,
                      const struct tenant *t, int identity);

/* Appends the field, with CRLF. */
void hint_write_field(struct buf *out, const struct cause *c, struct slice sentence);

#endif
