/*
 * hint: tells the caller why the server answered with an error: the cause, what
 * this process knows about it, and the cure. The hint is one more field of the
 * server's answer, an Item (RFC 9651):
 *
 *     Sfmtls-Hint: auth0032; cause="..."; cure="..."
 */
#ifndef EXCHANGE_HINT_H
#define EXCHANGE_HINT_H

#include "caller/ledger.h"
#include "sf/cause.h"

enum { HINT_MAX = 1023 }; /* bytes of the field's value */

/* What the process knows about the tenant's past. */
struct hint_history {
    const struct tenant *tenant;
    int identity; /* the certificate that the request was sent under */
    bool forwards_authorization;
    struct ledger_sum past;
    /* When the configuration in use was loaded. Times are microseconds since 1970. */
    int64_t loaded;
    int64_t switched; /* when another certificate came into use; 0: never */
    int64_t now;
};

/* Appends the sentence of the cause, and the facts of the history that matter for this cause, as
 * long as the hint has room. Ends it with a NUL that out->n does not count. */
void hint_write_sentence(struct buf *out, const struct cause *c, const struct cause_found *found,
                         const struct hint_history *h);

/* The same without the history, for a process that has none (`sfmtls check`), and without the
 * NUL. */
void hint_write_known(struct buf *out, const struct cause *c, const struct cause_found *found,
                      const struct tenant *t, int identity);

/* Appends the whole field, with CRLF. */
void hint_write_field(struct buf *out, const struct cause *c, struct slice sentence);

#endif
