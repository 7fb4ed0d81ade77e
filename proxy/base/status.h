/*
 * status: what a function that can fail returns.
 *
 * The value says what kind of failure it was, for code; the sentence for the
 * person travels beside it in a struct diag.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define BIT(n)            (1u << (n))

enum status {
    ST_OK,
    ST_BAD_INPUT, /* what a person gave us is wrong: command line, file, key */
    ST_LOCKED,    /* a passphrase is missing or does not fit */
    ST_MISMATCH,  /* each part is sound, together they are not */
    ST_SYSTEM,    /* the operating system refused */
};

#endif
