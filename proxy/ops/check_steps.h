/*
 * check_steps: the steps of `sfmtls check` from the configuration to the
 * permission, what each needs, and at which of them a failure or a cause shows.
 */
#ifndef OPS_CHECK_STEPS_H
#define OPS_CHECK_STEPS_H

#include "base/buf.h"
#include "sf/cause.h"

enum check_step {
    CHECK_CONFIGURATION,
    CHECK_BTP_TOKEN, /* these two: of a certificate that is fetched from BTP */
    CHECK_BTP_CERTIFICATE,
    CHECK_CERTIFICATE,
    CHECK_CHAIN,
    CHECK_CLOCK,
    CHECK_PARENT_PROXY,
    CHECK_NAME,
    CHECK_CONNECT,
    CHECK_TLS,
    CHECK_SERVER_CERTIFICATE,
    CHECK_CERTIFICATE_REQUEST,
    CHECK_CLIENT_CERTIFICATE,
    CHECK_HTTP,
    CHECK_COMPANY,
    CHECK_PERMISSION,
    CHECK_STEPS
};

enum check_result { /* from the best to the worst */
                    CHECK_OK,
                    CHECK_SKIPPED,
                    CHECK_UNKNOWN,
                    CHECK_WARN,
                    CHECK_FAIL,
};

const char *check_step_name(enum check_step s);     /* "server-certificate" */
const char *check_result_name(enum check_result r); /* "warn" */
bool check_step_find(const char *name, enum check_step *out);

/* What is known of one step. */
struct check_report {
    bool told;     /* it was judged; else all else is zero */
    bool left_out; /* SKIPPED because it is not wanted */
    enum check_result result;
    const char *code;      /* of a cause or a failure; NULL: none */
    char *sentence;        /* NULL: none */
    const char *cure;      /* NULL: none */
    enum check_step needs; /* SKIPPED and not left out: which step did not succeed */
    struct buf evidence;   /* members of a JSON object, separated by commas; empty: none */
};

/* Judges a step that was not judged before; takes the sentence. */
void check_tell(struct check_report steps[], enum check_step s, enum check_result r,
                const char *code, char *sentence, const char *cure);

/* The same of a failure and of a cause, at the step at which it shows. */
void check_tell_failure(struct check_report steps[], const struct failure *why);
void check_tell_cause(struct check_report steps[], const struct cause *c, char *sentence);

/* It succeeded, unless it was judged before; takes the sentence. */
void check_fine(struct check_report steps[], enum check_step s, char *sentence);

/* Adds a member to the evidence; a value of NULL or "" adds none. */
void check_note(struct check_report *r, const char *name, const char *value);
void check_note_number(struct check_report *r, const char *name, long long value);
void check_note_list(struct check_report *r, const char *name, char *const *values, size_t n);

/* The step is not wanted. */
void check_leave_out(struct check_report steps[], enum check_step s);

/* Was it judged, and may the steps that need it go on? */
bool check_succeeded(const struct check_report steps[], enum check_step s);

/* Was it judged? If not, and a step that it needs did not succeed, it is skipped. To be asked in
 * the order of the steps. */
bool check_is_settled(struct check_report steps[], enum check_step s);

enum check_step check_step_of_failure(const struct failure *why);
enum check_step check_step_of_cause(const struct cause *c);

#endif
