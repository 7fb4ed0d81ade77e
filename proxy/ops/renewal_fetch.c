#include "ops/renewal_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "btp/fetch.h"
#include "btp/store.h"
#include "btp/web.h"
#include "net/name_service.h"
#include "ops/btp_way.h"
#include "ops/renewal_room.h"
#include "upstream/gss_login.h"

struct look {
    const struct tenant *tenant;
    struct credential_files files; /* for the passphrases */
    char *paths[IDENTITIES];
    struct credential *held[IDENTITIES]; /* NULL: none, or one that cannot be read */
    int mark;                            /* of the store; see store_enter() */
    bool distrusts;                      /* the first of those does not fit private-key */
    struct renewal_record *out;
};

static void fail(struct look *l, const struct fetch_failure *f)
{
    l->out->outcome = RENEWAL_FAILED;
    l->out->cause = cause_id(f->cause);
    l->out->wait =
        f->retry_after < 0 || f->retry_after > SECONDS_PER_DAY ? SECONDS_PER_DAY : f->retry_after;
    (void)snprintf(l->out->sentence, sizeof(l->out->sentence), "%s", f->why.text);
}

static void fail_by(struct look *l, enum cause_id id, const struct diag *why)
{
    struct fetch_failure f = {.cause = cause_of(id), .why = *why};

    fail(l, &f);
}

/* ---- the store ---- */

static void read_store(struct look *l)
{
    struct diag ignored; /* the process that serves reports it */

    for (int i = 0; i < IDENTITIES; i++)
        if (access(l->paths[i], F_OK) != 0 ||
            store_look(l->paths[i], &l->files, &l->held[i], &ignored) != ST_OK)
            l->held[i] = NULL;
}

static void forget_store(struct look *l)
{
    for (int i = 0; i < IDENTITIES; i++) {
        credential_unref(l->held[i]);
        l->held[i] = NULL;
    }
}

static void report_store(struct look *l)
{
    const struct credential *c = l->distrusts ? NULL : l->held[IDENTITY_CURRENT];

    l->out->not_before = c == NULL || credential_not_before(c) < 0 ? 0 : credential_not_before(c);
    l->out->not_after = c == NULL || credential_not_after(c) < 0 ? 0 : credential_not_after(c);
}

/* The file whose age is the time of the last request to BTP, so that a restart does not ask too
 * soon. */
static char *mark_of(const struct tenant *t)
{
    return mem_format("%s/.asked", t->fetch.store);
}

static void read_mark(struct look *l)
{
    char *path = mark_of(l->tenant);
    struct stat st;

    l->out->looked = stat(path, &st) == 0 && st.st_mtim.tv_sec > 0 ? st.st_mtim.tv_sec : 0;
    free(path);
}

static enum status write_mark(struct look *l, struct diag *why)
{
    char *path = mark_of(l->tenant);
    enum status st = store_mark(path, &l->mark, why);

    free(path);
    l->out->looked = clock_wall_s();
    return st;
}

/* ---- the fetched certificate ---- */

static bool is_same(const struct credential *a, const struct credential *b)
{
    return a != NULL && memcmp(credential_fingerprint(a), credential_fingerprint(b),
                               CREDENTIAL_FINGERPRINT_SIZE) == 0;
}

/* SuccessFactors identifies a certificate by issuer and subject. */
static bool is_known_as(const struct credential *a, const struct credential *b)
{
    char *issuer = credential_issuer(a), *other = credential_issuer(b);
    bool same =
        strcmp(issuer, other) == 0 && strcmp(credential_subject(a), credential_subject(b)) == 0;

    free(issuer);
    free(other);
    return same;
}

/* If private-key is configured, BTP does not have the key, and the certificate has to be for that
 * key. */
static bool has_another_key(const struct look *l, const struct credential *fetched)
{
    const struct credential *held = l->held[IDENTITY_CURRENT];
    bool apart = l->tenant->identities[IDENTITY_CURRENT].private_key != NULL;

    if (!apart || held == NULL)
        return false;
    bool same = X509_PUBKEY_eq(X509_get_X509_PUBKEY(credential_leaf(held)),
                               X509_get_X509_PUBKEY(credential_leaf(fetched))) == 1;
    return same == l->distrusts;
}

/* Puts the new certificate into the place of certificate-next, and then exchanges both files, so
 * that at no time there is no certificate. On a file system that cannot exchange, the old one is
 * lost. */
static enum status change_places(struct look *l, char *temporary, struct diag *why)
{
    const char *next = l->paths[IDENTITY_NEXT], *current = l->paths[IDENTITY_CURRENT];
    enum status st = store_settle(temporary, next, why);

    if (st != ST_OK)
        return st;
    if (renameat2(AT_FDCWD, next, AT_FDCWD, current, RENAME_EXCHANGE) == 0 ||
        rename(next, current) == 0)
        return ST_OK;
    diag_at(why, current, "cannot be replaced: %s", strerror(errno));
    return ST_SYSTEM;
}

static bool is_over(const struct credential *c)
{
    return c == NULL || credential_not_after(c) <= clock_wall_s();
}

static enum renewal_outcome outcome_of(const struct look *l, const struct credential *fetched)
{
    const struct credential *current = l->held[IDENTITY_CURRENT];

    if (is_same(current, fetched))
        return RENEWAL_UNCHANGED;
    if (is_over(current) || l->distrusts)
        return RENEWAL_FIRST;
    int64_t younger = credential_not_before(fetched) - credential_not_before(current);
    bool known = is_known_as(current, fetched);
    if (younger < 0 || (is_same(l->held[IDENTITY_NEXT], fetched) && (!known || younger == 0)))
        return RENEWAL_UNCHANGED; /* otherwise it is left from a look that was killed */
    return known ? RENEWAL_RENEWED : RENEWAL_NEXT;
}

/* Takes ownership of temporary. */
static void put_in_place(struct look *l, char *temporary, const struct credential *fetched)
{
    enum renewal_outcome outcome = outcome_of(l, fetched);
    struct diag why;
    enum status st = ST_OK;

    if (outcome == RENEWAL_FIRST)
        st = store_settle(temporary, l->paths[IDENTITY_CURRENT], &why);
    else if (outcome == RENEWAL_RENEWED)
        st = change_places(l, temporary, &why);
    else if (outcome == RENEWAL_NEXT)
        st = store_settle(temporary, l->paths[IDENTITY_NEXT], &why);
    else
        store_drop(temporary);
    if (st != ST_OK) {
        fail_by(l, CAUSE_BTP_STORE, &why);
        return;
    }
    l->out->outcome = outcome;
    l->distrusts = l->distrusts && outcome != RENEWAL_FIRST;
}

static void refuse(struct look *l, const struct diag *flaw)
{
    struct fetch_failure f = {.cause = NULL};

    fetch_fail(&f, CAUSE_BTP_CERTIFICATE_UNFIT, "%s was fetched, but %s", l->tenant->fetch.name,
               flaw->text);
    fail(l, &f);
}

static void take(struct look *l, struct slice content)
{
    bool apart = l->tenant->identities[IDENTITY_CURRENT].private_key != NULL;
    struct credential *c = NULL;
    char *temporary;
    struct diag why;
    enum status st = store_put(l->paths[IDENTITY_CURRENT], content, &temporary, &why);

    if (st != ST_OK) {
        fail_by(l, CAUSE_BTP_STORE, &why);
        return;
    }
    st = store_look(temporary, &l->files, &c, &why);
    if (st == ST_OK)
        st = store_judge(c, apart, &why);
    if (st == ST_OK && has_another_key(l, c)) {
        diag_set(&why, l->distrusts ? "it does not fit the key in private-key"
                                    : "it is for another key than the one in private-key");
        st = ST_MISMATCH;
    }
    if (st == ST_OK) {
        put_in_place(l, temporary, c);
    } else {
        store_drop(temporary);
        refuse(l, &why);
    }
    credential_unref(c);
}

/* A replaced certificate is a fallback while it is valid; then it is removed. Call it before
 * anything is stored. */
static void clear(struct look *l)
{
    store_sweep(l->tenant->fetch.store);
    if (l->held[IDENTITY_NEXT] == NULL || !is_over(l->held[IDENTITY_NEXT]))
        return;
    (void)unlink(l->paths[IDENTITY_NEXT]);
    credential_unref(l->held[IDENTITY_NEXT]);
    l->held[IDENTITY_NEXT] = NULL;
}

/* Another process may have put something there meanwhile. */
static void enter_store(struct look *l)
{
    store_enter(l->mark);
    forget_store(l);
    read_store(l);
}

static void leave_store(struct look *l)
{
    store_leave(l->mark);
}

/* ---- the look ---- */

static void ask_btp(struct look *l, const struct service_key *key, const struct web_proxy *proxy)
{
    struct fetch_failure why;
    struct buf content = {0};
    struct fetch *f = NULL;

    if (fetch_new(key, NULL, proxy, 1, &f, &why) &&
        fetch_certificate(f, (enum btp_level)l->tenant->fetch.level, l->tenant->fetch.name,
                          &content, &why)) {
        enter_store(l);
        take(l, buf_slice(&content));
        leave_store(l);
    } else {
        fail(l, &why);
    }
    fetch_free(f);
    file_wipe(&content);
}

/* l->mark is open. */
static void ask(struct look *l, const struct config *c)
{
    struct service_key key;
    struct btp_way way;
    struct diag why;

    enter_store(l);
    clear(l);
    leave_store(l);
    if (service_key_read(l->tenant->fetch.service_key_file, &key, &why) != ST_OK) {
        fail_by(l, CAUSE_BTP_SERVICE_KEY, &why);
        return;
    }
    if (btp_way_of(c, l->tenant, &way, &why) == ST_OK) {
        ask_btp(l, &key, &way.proxy);
        btp_way_end(&way);
    } else {
        fail_by(l, CAUSE_BTP_PROXY_AUTH, &why);
    }
    service_key_free(&key);
    forget_store(l);
    read_store(l); /* as it is now */
}

static void mark_and_ask(struct look *l, const struct config *c)
{
    struct diag why;

    if (write_mark(l, &why) != ST_OK) {
        fail_by(l, CAUSE_BTP_STORE, &why);
        return;
    }
    ask(l, c);
    (void)close(l->mark);
}

/* In the room, nothing can be loaded any more. */
static void load_libraries(const struct config *c, const struct tenant *t)
{
    char *tickets;

    name_service_load();
    web_prepare();
    if (btp_way_wants_tickets(btp_way_options(c, t), &tickets))
        gss_load(c);
    free(tickets);
}

void renewal_fetch(const struct config *c, const struct tenant *t, bool asks, bool distrusts,
                   struct renewal_record *out)
{
    const struct identity *i = &t->identities[IDENTITY_CURRENT];
    struct look l = {.tenant = t, .distrusts = distrusts && i->private_key != NULL, .out = out};

    l.files = (struct credential_files){.passphrase_file = i->passphrase_file,
                                        .passphrase_env = i->passphrase_env,
                                        .passphrase_credential = i->passphrase_credential};
    *out = (struct renewal_record){.mark = RENEWAL_MARK, .outcome = RENEWAL_INSPECTED};
    (void)snprintf(out->tenant, sizeof(out->tenant), "%s", t->name);
    if (asks)
        load_libraries(c, t);
    credential_prepare();
    renewal_room_enter(c, t);
    for (int k = 0; k < IDENTITIES; k++)
        l.paths[k] = config_store_path(t, k);
    read_store(&l);
    read_mark(&l);
    if (asks)
        mark_and_ask(&l, c);
    out->time = clock_wall_s();
    report_store(&l);
    forget_store(&l);
    for (int k = 0; k < IDENTITIES; k++)
        free(l.paths[k]);
}
