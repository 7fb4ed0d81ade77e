/*
 * check_steps: the steps of `sfmtls check` from the configuration to the
 * permission, the steps that each one needs, and the step at which a failure or
 * a cause shows.
 */
#ifndef OPS_CHECK_STEPS_H
#define OPS_CHECK_STEPS_H

#include "base/buf.h"
#include "sf/cause.h"

enum check_step {
    CHECK_CONFIGURATION,
    CHECK_BTP_TOKEN, /* these two: if the certificate is fetched from BTP */
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

const char *check_step_name(enum check_step s);     /* for example "server-certificate" */
const char *check_result_name(enum check_result r); /* for example "warn" */
bool check_step_find(const char *name, enum check_step *out);

/* The result of one step. */
struct check_report {
    bool told;     /* it was judged; otherwise all is zero */
    bool left_out; /* SKIPPED by --skip */
    enum check_result result;
    const char *code; /* of a cause or a failure; NULL: none */
    char *sentence;   /* NULL: none */
    const char *cure; /* NULL: none */
    /* SKIPPED and not left out: the step that did not succeed. */
    enum check_step needs;
    /* Members of a JSON object, separated by commas; empty: none. */
    struct buf evidence;
};

/* Judges a step, unless it was judged before. Takes ownership of sentence. */
void check_tell(struct check_report steps[], enum check_step s, enum check_result r,
                const char *code, char *sentence, const char *cure);

/* Judge the step at which the failure or the cause shows. */
void check_tell_failure(struct check_report steps[], const struct failure *why);
void check_tell_cause(struct check_report steps[], const struct cause *c, char *sentence);

/* The step has succeeded, unless it was judged before. Takes ownership of sentence. */
void check_fine(struct check_report steps[], enum check_step s, char *sentence);

/* Adds a member to the evidence. A value of NULL or "" adds none. */
void check_note(struct check_report *r, const char *name, const char *value);
void check_note_number(struct check_report *r, const char *name, long long value);
void check_note_list(struct check_report *r, const char *name, char *const *values, size_t n);

/* Skips a step that is not wanted (--skip). */
void check_leave_out(struct check_report steps[], enum check_step s);

/* Was it judged, and may the steps that need it be done? */
bool check_succeeded(const struct check_report steps[], enum check_step s);

/* Skips the step, unless it was judged, if the other one did not succeed. */
void check_lack(struct check_report steps[], enum check_step s, enum check_step needed);

/* Was it judged? If not, it is judged SKIPPED if a step that it needs did not succeed. Call it in
 * the order of the steps. */
bool check_is_settled(struct check_report steps[], enum check_step s);

enum check_step check_step_of_failure(const struct failure *why);
enum check_step check_step_of_cause(const struct cause *c);

#endif
