#include "ops/check_steps.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* Each step needs the step before it, and may need another one. A step with a warning counts as
 * succeeded. */
static const struct {
    const char *name;
    enum check_step needs[2];
} steps_table[CHECK_STEPS] = {
    [CHECK_CONFIGURATION] = {"configuration", {CHECK_STEPS, CHECK_STEPS}},
    [CHECK_BTP_TOKEN] = {"btp-token", {CHECK_CONFIGURATION, CHECK_STEPS}},
    [CHECK_BTP_CERTIFICATE] = {"btp-certificate", {CHECK_BTP_TOKEN, CHECK_STEPS}},
    [CHECK_CERTIFICATE] = {"certificate", {CHECK_CONFIGURATION, CHECK_STEPS}},
    [CHECK_CHAIN] = {"chain", {CHECK_CERTIFICATE, CHECK_STEPS}},
    [CHECK_CLOCK] = {"clock", {CHECK_CERTIFICATE, CHECK_STEPS}},
    [CHECK_PARENT_PROXY] = {"parent-proxy", {CHECK_CERTIFICATE, CHECK_STEPS}},
    [CHECK_NAME] = {"name", {CHECK_PARENT_PROXY, CHECK_STEPS}},
    [CHECK_CONNECT] = {"connect", {CHECK_NAME, CHECK_STEPS}},
    [CHECK_TLS] = {"tls", {CHECK_CONNECT, CHECK_STEPS}},
    [CHECK_SERVER_CERTIFICATE] = {"server-certificate", {CHECK_TLS, CHECK_CLOCK}},
    [CHECK_CERTIFICATE_REQUEST] = {"certificate-request", {CHECK_SERVER_CERTIFICATE, CHECK_STEPS}},
    [CHECK_CLIENT_CERTIFICATE] = {"client-certificate", {CHECK_CERTIFICATE_REQUEST, CHECK_CHAIN}},
    [CHECK_HTTP] = {"http", {CHECK_CLIENT_CERTIFICATE, CHECK_STEPS}},
    [CHECK_COMPANY] = {"company", {CHECK_HTTP, CHECK_STEPS}},
    [CHECK_PERMISSION] = {"permission", {CHECK_COMPANY, CHECK_STEPS}},
};

/* The step at which a failure of the proxy shows; for all others CHECK_HTTP. */
static const struct {
    enum fail id;
    enum check_step step;
} failures[] = {
    {FAIL_CERTIFICATE_EXPIRED, CHECK_CERTIFICATE},
    {FAIL_CERTIFICATE_NOT_YET_VALID, CHECK_CERTIFICATE},
    {FAIL_CERTIFICATE_NOT_FETCHED, CHECK_CERTIFICATE},
    {FAIL_NAME_NOT_FOUND, CHECK_NAME},
    {FAIL_NAME_LOOKUP, CHECK_NAME},
    {FAIL_NAME_TIMEOUT, CHECK_NAME},
    {FAIL_CONNECT_REFUSED, CHECK_CONNECT},
    {FAIL_CONNECT_UNREACHABLE, CHECK_CONNECT},
    {FAIL_CONNECT_TIMEOUT, CHECK_CONNECT},
    {FAIL_PARENT_NAME, CHECK_PARENT_PROXY},
    {FAIL_PARENT_REFUSED, CHECK_PARENT_PROXY},
    {FAIL_PARENT_UNREACHABLE, CHECK_PARENT_PROXY},
    {FAIL_PARENT_TIMEOUT, CHECK_PARENT_PROXY},
    {FAIL_PARENT_CLOSED, CHECK_PARENT_PROXY},
    {FAIL_PARENT_MALFORMED, CHECK_PARENT_PROXY},
    {FAIL_PARENT_TOO_LARGE, CHECK_PARENT_PROXY},
    {FAIL_PARENT_ASKS, CHECK_PARENT_PROXY},
    {FAIL_PARENT_AUTH, CHECK_PARENT_PROXY},
    {FAIL_PARENT_TICKET, CHECK_PARENT_PROXY},
    {FAIL_PARENT_BUSY, CHECK_PARENT_PROXY},
    {FAIL_PARENT_FORBADE, CHECK_PARENT_PROXY},
    {FAIL_PARENT_STATUS, CHECK_PARENT_PROXY},
    {FAIL_PARENT_SERVER, CHECK_CONNECT},
    {FAIL_PARENT_SERVER_TIMEOUT, CHECK_CONNECT},
    {FAIL_SHORTAGE, CHECK_CONNECT},
    {FAIL_SERVER_VANISHED, CHECK_CONNECT},
    {FAIL_HANDSHAKE_TIMEOUT, CHECK_TLS},
    {FAIL_TLS, CHECK_TLS},
    {FAIL_SERVER_UNTRUSTED, CHECK_SERVER_CERTIFICATE},
    {FAIL_SERVER_EXPIRED, CHECK_SERVER_CERTIFICATE},
    {FAIL_SERVER_WRONG_HOST, CHECK_SERVER_CERTIFICATE},
    {FAIL_SERVER_REVOKED, CHECK_SERVER_CERTIFICATE},
    {FAIL_SERVER_CRL, CHECK_SERVER_CERTIFICATE},
    {FAIL_CERTIFICATE_NOT_REQUESTED, CHECK_CERTIFICATE_REQUEST},
    {FAIL_CERTIFICATE_REFUSED, CHECK_CLIENT_CERTIFICATE},
};

/* The step at which a cause shows: causes that say more than their failure, and causes of answers.
 * For all other causes of answers CHECK_HTTP. */
static const struct {
    enum cause_id id;
    enum check_step step;
} causes[] = {
    {CAUSE_CLOCK, CHECK_CLOCK},
    {CAUSE_CERTIFICATE_UNREADABLE, CHECK_CERTIFICATE},
    {CAUSE_PASSPHRASE, CHECK_CERTIFICATE},
    {CAUSE_KEY_MISMATCH, CHECK_CERTIFICATE},
    {CAUSE_NO_CLIENT_AUTH, CHECK_CERTIFICATE},
    {CAUSE_CERTIFICATE_ENDS_SOON, CHECK_CERTIFICATE},
    {CAUSE_OWN_CHAIN_INCOMPLETE, CHECK_CHAIN},
    {CAUSE_OWN_CA_NOT_WANTED, CHECK_CERTIFICATE_REQUEST},
    {CAUSE_EDGE_CERTIFICATE_ERROR, CHECK_CLIENT_CERTIFICATE},
    {CAUSE_EDGE_NO_CERTIFICATE, CHECK_CLIENT_CERTIFICATE},
    {CAUSE_LGN0003, CHECK_CERTIFICATE_REQUEST},
    {CAUSE_AUTH0032, CHECK_COMPANY},
    {CAUSE_AUTH_UNKNOWN, CHECK_COMPANY},
    {CAUSE_LGN0008, CHECK_COMPANY},
    {CAUSE_SFAPI_LOGIN, CHECK_COMPANY},
    {CAUSE_LGN0002, CHECK_PERMISSION},
    {CAUSE_LGN0009, CHECK_PERMISSION},
    {CAUSE_LGN0010, CHECK_PERMISSION},
    {CAUSE_LGN0013, CHECK_PERMISSION},
    {CAUSE_LGN_UNKNOWN, CHECK_PERMISSION},
    {CAUSE_SFAPI_ADDRESS, CHECK_PERMISSION},
    {CAUSE_BTP_SERVICE_KEY, CHECK_BTP_TOKEN},
    {CAUSE_BTP_BINDING_EXPIRED, CHECK_BTP_TOKEN},
    {CAUSE_BTP_TOKEN_REFUSED, CHECK_BTP_TOKEN},
    {CAUSE_BTP_UNREACHABLE, CHECK_BTP_TOKEN},
    {CAUSE_BTP_PROXY_UNREACHABLE, CHECK_BTP_TOKEN},
    {CAUSE_BTP_PROXY_AUTH, CHECK_BTP_TOKEN},
    {CAUSE_BTP_PROXY_REFUSED, CHECK_BTP_TOKEN},
    {CAUSE_BTP_TLS, CHECK_BTP_TOKEN},
    {CAUSE_BTP_HELPER, CHECK_BTP_TOKEN},
    {CAUSE_BTP_NOT_PERMITTED, CHECK_BTP_CERTIFICATE},
    {CAUSE_BTP_CERTIFICATE_UNKNOWN, CHECK_BTP_CERTIFICATE},
    {CAUSE_BTP_TOO_MANY_REQUESTS, CHECK_BTP_CERTIFICATE},
    {CAUSE_BTP_UNAVAILABLE, CHECK_BTP_CERTIFICATE},
    {CAUSE_BTP_ANSWER, CHECK_BTP_CERTIFICATE},
    {CAUSE_BTP_KEY_STORE, CHECK_BTP_CERTIFICATE},
    {CAUSE_BTP_CERTIFICATE_UNFIT, CHECK_BTP_CERTIFICATE},
    {CAUSE_BTP_STORE, CHECK_BTP_CERTIFICATE},
};

const char *check_step_name(enum check_step s)
{
    return steps_table[s].name;
}

const char *check_result_name(enum check_result r)
{
    static const char *const names[] = {[CHECK_OK] = "ok",
                                        [CHECK_SKIPPED] = "skipped",
                                        [CHECK_UNKNOWN] = "unknown",
                                        [CHECK_WARN] = "warn",
                                        [CHECK_FAIL] = "fail"};

    return names[r];
}

bool check_step_find(const char *name, enum check_step *out)
{
    for (int s = 0; s < CHECK_STEPS; s++) {
        *out = (enum check_step)s;
        if (strcmp(steps_table[s].name, name) == 0)
            return true;
    }
    return false;
}

static bool has_row(const struct cause *c, enum check_step *out)
{
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        *out = causes[i].step;
        if (causes[i].id == cause_id(c))
            return true;
    }
    return false;
}

enum check_step check_step_of_cause(const struct cause *c)
{
    enum check_step s;

    return has_row(c, &s) ? s : CHECK_HTTP;
}

enum check_step check_step_of_failure(const struct failure *why)
{
    const struct cause *c = cause_find(failure_code(why));
    enum check_step s;

    if (c != NULL && has_row(c, &s))
        return s;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        if (failures[i].id == why->id)
            return failures[i].step;
    return CHECK_HTTP;
}

/* ---- reports ---- */

void check_tell(struct check_report steps[], enum check_step s, enum check_result r,
                const char *code, char *sentence, const char *cure)
{
    struct check_report *report = &steps[s];

    if (report->told) {
        free(sentence);
        return;
    }
    report->told = true;
    report->result = r;
    report->code = code;
    report->sentence = sentence;
    report->cure = cure;
}

void check_fine(struct check_report steps[], enum check_step s, char *sentence)
{
    check_tell(steps, s, CHECK_OK, NULL, sentence, NULL);
}

void check_note(struct check_report *r, const char *name, const char *value)
{
    if (value != NULL && *value != '\0')
        json_add_member(&r->evidence, name, slice_of(value));
}

void check_note_number(struct check_report *r, const char *name, long long value)
{
    struct buf *out = &r->evidence;

    buf_addf(out, "%s\"%s\":%lld", out->n == 0 ? "" : ",", name, value);
}

void check_note_list(struct check_report *r, const char *name, char *const *values, size_t n)
{
    struct buf *out = &r->evidence;

    buf_addf(out, "%s\"%s\":[", out->n == 0 ? "" : ",", name);
    for (size_t i = 0; i < n; i++) {
        buf_add_string(out, i == 0 ? "\"" : ",\"");
        json_add(out, slice_of(values[i]));
        buf_add_string(out, "\"");
    }
    buf_add_string(out, "]");
}

void check_leave_out(struct check_report steps[], enum check_step s)
{
    check_tell(steps, s, CHECK_SKIPPED, NULL, mem_copy_string("It was left out (--skip)."), NULL);
    steps[s].left_out = true;
}

void check_tell_failure(struct check_report steps[], const struct failure *why)
{
    check_tell(steps, check_step_of_failure(why), CHECK_FAIL, failure_code(why),
               mem_copy_string(why->detail.text), failure_cure(why));
}

void check_tell_cause(struct check_report steps[], const struct cause *c, char *sentence)
{
    check_tell(steps, check_step_of_cause(c), CHECK_FAIL, c->code, sentence, c->cure);
}

/* Later steps do not depend on these, so the steps that need them go on if they are left out. */
static bool may_be_left_out(enum check_step s)
{
    return s == CHECK_CHAIN || s == CHECK_CLOCK || s == CHECK_COMPANY;
}

static bool is_enough(const struct check_report steps[], enum check_step s)
{
    const struct check_report *r = &steps[s];

    return r->told && (r->result == CHECK_OK || r->result == CHECK_WARN ||
                       (r->left_out && may_be_left_out(s)));
}

/* The step that failed first. Each skipped step names the step that it lacked. */
static enum check_step root_of(const struct check_report steps[], enum check_step s)
{
    return steps[s].result == CHECK_SKIPPED && !steps[s].left_out ? steps[s].needs : s;
}

bool check_succeeded(const struct check_report steps[], enum check_step s)
{
    return is_enough(steps, s);
}

void check_lack(struct check_report steps[], enum check_step s, enum check_step needed)
{
    if (steps[s].told || is_enough(steps, needed))
        return;
    check_tell(steps, s, CHECK_SKIPPED, NULL, NULL, NULL);
    steps[s].needs = root_of(steps, needed);
}

bool check_is_settled(struct check_report steps[], enum check_step s)
{
    for (size_t i = 0; i < ARRAY_LEN(steps_table[s].needs); i++)
        if (steps_table[s].needs[i] != CHECK_STEPS)
            check_lack(steps, s, steps_table[s].needs[i]);
    return steps[s].told;
}
