/*
 * renewal_record: the message of a fixed size about one look. The process that
 * looks sends it to the keeper, and the keeper to the process that serves.
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
    RENEWAL_FIRST, /* there was no usable certificate before */
    /* Same issuer and subject: it replaces the old certificate. */
    RENEWAL_RENEWED,
    RENEWAL_NEXT, /* another issuer or subject: it is certificate-next */
    RENEWAL_FAILED,
    /* A notice about the keeper itself; it belongs to no tenant. */
    RENEWAL_NOTICE,
    RENEWAL_OUTCOMES
};

enum { RENEWAL_TENANT_SIZE = 33, RENEWAL_MARK = 0x53464d31 };

/* Times are seconds since 1970; 0: never, or not known. */
struct renewal_record {
    uint32_t mark;
    uint32_t outcome;              /* enum renewal_outcome */
    uint32_t cause;                /* enum cause_id, for RENEWAL_FAILED */
    int64_t time, next;            /* of this look, of the next one */
    int64_t not_before, not_after; /* of `certificate` in certificate-store */
    int64_t looked;                /* when BTP was last asked */
    int64_t wait;                  /* the pause that BTP has asked for, in seconds */
    char tenant[RENEWAL_TENANT_SIZE];
    char sentence[768];
};

/* Are these n bytes a record, with all values in their ranges? */
bool renewal_record_is_sound(const struct renewal_record *r, long n);

#endif
