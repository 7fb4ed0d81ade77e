#include "ops/check_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "policy/validity.h"
#include "tls/facts.h"

/* Describes the tenant's section, with its limits (`rate`). */
static char *describe_section(const struct tenant *t)
{
    struct buf text = {0};

    buf_add_string(&text, t->where);
    for (size_t i = 0; i < t->nrates; i++) {
        buf_add_string(&text, i == 0 ? "; rate = " : ", ");
        tenant_write_rate(&t->rates[i], &text);
    }
    char *out = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
    return out;
}

static void add_limits(struct check_report *r, const struct tenant *t)
{
    char **limits = mem_new((t->nrates + 1) * sizeof(limits[0]));

    for (size_t i = 0; i < t->nrates; i++)
        limits[i] = mem_format("%s %zu/s", t->rates[i].text, t->rates[i].limit);
    check_note_list(r, "limits", limits, t->nrates);
    for (size_t i = 0; i < t->nrates; i++)
        free(limits[i]);
    free(limits);
}

void check_configuration(struct check_report steps[], const struct tenant *t,
                         const struct diag *file_flaw)
{
    if (file_flaw != NULL)
        check_tell(steps, CHECK_CONFIGURATION, CHECK_FAIL, NULL, mem_copy_string(file_flaw->text),
                   NULL);
    check_fine(steps, CHECK_CONFIGURATION, describe_section(t));
    check_note(&steps[CHECK_CONFIGURATION], "section", t->where);
    add_limits(&steps[CHECK_CONFIGURATION], t);
}

static enum cause_id cause_of_flaw(enum status st)
{
    return st == ST_LOCKED     ? CAUSE_PASSPHRASE
           : st == ST_MISMATCH ? CAUSE_KEY_MISMATCH
                               : CAUSE_CERTIFICATE_UNREADABLE;
}

/* The sentence of the finding with that level and subject; NULL: there is none. */
static const char *finding(const struct credential *c, enum finding_level level,
                           enum finding_about about)
{
    size_t count;
    const struct finding *all = credential_findings(c, &count);

    for (size_t i = 0; i < count; i++)
        if (all[i].level == level && all[i].about == about)
            return all[i].sentence;
    return NULL;
}

static void tell_finding(struct check_report steps[], enum check_step s, enum check_result r,
                         const char *sentence, const struct cause *c)
{
    if (sentence != NULL)
        check_tell(steps, s, r, c == NULL ? NULL : c->code, mem_copy_string(sentence),
                   c == NULL ? NULL : c->cure);
}

static void check_end(struct check_report steps[], const struct facts *f, int fail_days)
{
    const struct cause *c = cause_of(CAUSE_CERTIFICATE_ENDS_SOON);

    if (f->days_left < fail_days)
        check_tell_cause(steps, c,
                         mem_format("The client certificate ends on %.10s, in %lld days.",
                                    f->not_after, f->days_left));
}

static void add_facts(struct check_report *r, const struct facts *f)
{
    check_note(r, "subject", f->subject);
    check_note(r, "issuer", f->issuer);
    json_add_member(&r->evidence, "serial", buf_slice(&f->serial));
    json_add_member(&r->evidence, "sha256", buf_slice(&f->sha256));
    check_note(r, "not_before", f->not_before);
    check_note(r, "not_after", f->not_after);
    check_note_number(r, "days_left", f->days_left);
    check_note(r, "key_type", f->key_type);
}

static void judge_credential(struct check_report steps[], const struct tenant *t, int identity,
                             int fail_days)
{
    const struct cause *soon = cause_of(CAUSE_CERTIFICATE_ENDS_SOON),
                       *unfit = cause_of(CAUSE_NO_CLIENT_AUTH);
    const struct credential *c = t->identities[identity].credential;
    struct failure why;
    struct facts f;

    facts_collect(c, clock_wall_s(), &f);
    if (!identity_is_presentable(t, identity, &why))
        check_tell_failure(steps, &why);
    if (finding(c, FINDING_ERROR, ABOUT_USAGE) != NULL)
        check_tell_cause(steps, unfit, mem_copy_string(unfit->sentence));
    tell_finding(steps, CHECK_CERTIFICATE, CHECK_FAIL, finding(c, FINDING_ERROR, ABOUT_OTHER),
                 NULL);
    check_end(steps, &f, fail_days);
    tell_finding(steps, CHECK_CERTIFICATE, CHECK_WARN, finding(c, FINDING_WARNING, ABOUT_DATES),
                 soon);
    tell_finding(steps, CHECK_CERTIFICATE, CHECK_WARN, finding(c, FINDING_WARNING, ABOUT_USAGE),
                 NULL);
    tell_finding(steps, CHECK_CERTIFICATE, CHECK_WARN, finding(c, FINDING_WARNING, ABOUT_OTHER),
                 NULL);
    check_fine(steps, CHECK_CERTIFICATE,
               mem_format("%s, until %.10s (%lld days left)", f.subject, f.not_after, f.days_left));
    add_facts(&steps[CHECK_CERTIFICATE], &f);
    facts_free(&f);
}

void check_certificate(struct check_report steps[], const struct tenant *t, int identity,
                       int fail_days)
{
    const struct identity *i = &t->identities[identity];
    struct failure why;

    if (i->flaw != NULL && tenant_fetches(t) && !check_succeeded(steps, CHECK_BTP_CERTIFICATE) &&
        !identity_is_presentable(t, identity, &why))
        check_tell_failure(steps, &why);
    else if (i->flaw != NULL)
        check_tell_cause(steps, cause_of(cause_of_flaw(i->flaw_status)), mem_copy_string(i->flaw));
    else
        judge_credential(steps, t, identity, fail_days);
    if (access(i->certificate, F_OK) == 0)
        check_note(&steps[CHECK_CERTIFICATE], "file", i->certificate);
}

/* If the server says that it accepts this issuer, no certificate is missing in the chain. */
static bool is_accepted(const struct credential *c, const struct call_result *r)
{
    char *issuer = credential_chain_issuer(c);
    bool found = false;

    for (size_t i = 0; i < r->nauthorities && !found; i++)
        found = strcmp(r->authorities[i], issuer) == 0;
    free(issuer);
    return found;
}

static const struct finding *find_gap(const struct credential *c, const struct call_result *r)
{
    size_t count;
    const struct finding *all = credential_findings(c, &count);

    for (size_t i = 0; i < count; i++)
        if (all[i].level == FINDING_WARNING && all[i].about == ABOUT_CHAIN &&
            !(all[i].about_issuer && is_accepted(c, r)))
            return &all[i];
    return NULL;
}

void check_chain(struct check_report steps[], const struct tenant *t, int identity,
                 const struct call_result *r)
{
    const struct credential *c = t->identities[identity].credential;
    const struct finding *gap = find_gap(c, r);
    char **names = NULL;
    int n = credential_chain_length(c);

    if (gap != NULL && gap->about_issuer && !r->connected)
        check_tell(steps, CHECK_CHAIN, CHECK_UNKNOWN, NULL,
                   mem_copy_string("Only a connection shows whether the server needs more CA "
                                   "certificates than the file has."),
                   NULL);
    else if (gap != NULL)
        tell_finding(steps, CHECK_CHAIN, CHECK_WARN, gap->sentence, NULL);
    check_fine(steps, CHECK_CHAIN,
               mem_format("%d certificate%s sent beside it", n, n == 1 ? " is" : "s are"));
    names = mem_new((size_t)(n + 1) * sizeof(names[0]));
    for (int i = 0; i < n; i++)
        names[i] = credential_chain_subject(c, i);
    check_note_list(&steps[CHECK_CHAIN], "chain", names, (size_t)n);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}
