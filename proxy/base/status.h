/*
 * status: the result of a function that can fail.
 *
 * The value tells code which kind of failure it was. The sentence for a person
 * is in a struct diag beside it.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
/* Called rarely: it is not inlined, and its callers are laid out for the case without it. */
#define RARE         __attribute__((cold, noinline))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)       (1u << (n))

enum status {
    ST_OK,
    ST_BAD_INPUT, /* the user's input is wrong: command line, file, key */
    ST_LOCKED,    /* a passphrase is missing or wrong */
    ST_MISMATCH,  /* each part is valid, but they do not fit together */
    ST_SYSTEM,    /* the operating system refused */
};

#endif
