/*
 * renewal_record: what the processes that fetch certificates tell each other
 * and the process that serves: one message of a fixed size for each look.
 */
#ifndef OPS_RENEWAL_RECORD_H
#define OPS_RENEWAL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "sf/cause.h"

enum renewal_outcome {
    RENEWAL_INSPECTED, /* BTP was not asked */
    RENEWAL_UNCHANGED,
    RENEWAL_FIRST,   /* there was none that could be used */
    RENEWAL_RENEWED, /* same issuer and subject: it takes the place of the old one */
    RENEWAL_NEXT,    /* another issuer or subject: it is certificate-next */
    RENEWAL_FAILED,
    RENEWAL_NOTICE, /* of no tenant: the sentence says what became of the process that renews */
    RENEWAL_OUTCOMES
};

enum { RENEWAL_TENANT_SIZE = 33, RENEWAL_MARK = 0x53464d31 };

/* Times in seconds since 1970; 0: never, or unknown. */
struct renewal_record {
    uint32_t mark;
    uint32_t outcome;              /* enum renewal_outcome */
    uint32_t cause;                /* enum cause_id, of RENEWAL_FAILED */
    int64_t time, next;            /* of this look, and of the next one */
    int64_t not_before, not_after; /* of `certificate` in certificate-store */
    int64_t looked;                /* when BTP was asked last */
    int64_t wait;                  /* that BTP asks for */
    char tenant[RENEWAL_TENANT_SIZE];
    char sentence[768];
};

/* Is that n bytes of a record, with nothing in it that no record has? */
bool renewal_record_is_sound(const struct renewal_record *r, long n);

#endif
