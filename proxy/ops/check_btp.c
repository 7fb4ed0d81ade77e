#include "ops/check_btp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "btp/fetch.h"
#include "btp/store.h"
#include "ops/btp_way.h"
#include "policy/validity.h"

static void tell(struct check_report steps[], enum check_step s, const struct fetch_failure *f)
{
    check_tell(steps, s, CHECK_FAIL, f->cause->code, mem_format("%s.", f->why.text),
               f->cause->cure);
    /* Sentences begin with a capital letter. */
    if (steps[s].sentence[0] >= 'a' && steps[s].sentence[0] <= 'z')
        steps[s].sentence[0] = (char)(steps[s].sentence[0] - 'a' + 'A');
}

/* Puts the fetched content into a nameless file, for functions that read files. Close the
 * descriptor. */
static int file_of(const struct buf *content, char path[32])
{
    int fd = memfd_create("fetched", MFD_CLOEXEC);

    (void)snprintf(path, 32, "/proc/self/fd/%d", fd);
    if (fd < 0 || (fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
                   write(fd, content->p, content->n) == (ssize_t)content->n))
        return fd;
    (void)close(fd);
    return -1;
}

static bool is_in_use(const struct tenant *t, const struct credential *c)
{
    const struct credential *held = t->identities[IDENTITY_CURRENT].credential;

    return held != NULL && memcmp(credential_fingerprint(held), credential_fingerprint(c),
                                  CREDENTIAL_FINGERPRINT_SIZE) == 0;
}

static void tell_fetched(struct check_report steps[], const struct tenant *t,
                         const struct credential *c)
{
    char end[CLOCK_TEXT_SIZE];

    clock_text_s(credential_not_after(c), end);
    check_tell(
        steps, CHECK_BTP_CERTIFICATE, CHECK_OK, NULL,
        mem_format("%s until %.10s, %s", t->fetch.name, end,
                   is_in_use(t, c) ? "the one that is in use" : "which `run` takes by itself"),
        NULL);
    json_add_member(&steps[CHECK_BTP_CERTIFICATE].evidence, "subject",
                    slice_of(credential_subject(c)));
    json_add_member(&steps[CHECK_BTP_CERTIFICATE].evidence, "not_after", slice_of(end));
}

/* If the tenant's private-key does not fit it, the step of the certificate tells that. */
static void present(struct tenant *t, const char *path)
{
    struct failure unused;

    if (!identity_is_presentable(t, IDENTITY_CURRENT, &unused))
        config_present_fetched(t, path);
}

static void judge(struct check_report steps[], struct tenant *t, const struct buf *content)
{
    const struct identity *i = &t->identities[IDENTITY_CURRENT];
    const struct credential_files files = {.passphrase_file = i->passphrase_file,
                                           .passphrase_env = i->passphrase_env,
                                           .passphrase_credential = i->passphrase_credential};
    struct credential *c = NULL;
    struct fetch_failure f = {.cause = NULL};
    struct diag why;
    char path[32];
    int fd = file_of(content, path);
    enum status st = store_look(path, &files, &c, &why);

    if (st == ST_OK)
        st = store_judge(c, i->private_key != NULL, &why);
    if (st == ST_OK) {
        tell_fetched(steps, t, c);
        present(t, path);
    } else {
        fetch_fail(&f, CAUSE_BTP_CERTIFICATE_UNFIT, "%s was fetched, but %s", t->fetch.name,
                   why.text);
        tell(steps, CHECK_BTP_CERTIFICATE, &f);
    }
    credential_unref(c);
    if (fd >= 0)
        (void)close(fd);
}

static void ask(struct check_report steps[], struct tenant *t, const struct web_proxy *proxy,
                struct fetch *f)
{
    struct fetch_failure why = {.cause = NULL};
    struct buf content = {0};

    if (!fetch_token(f, &why)) {
        tell(steps, CHECK_BTP_TOKEN, &why);
        return;
    }
    bool named = proxy->way == WEB_BY_PROXY;
    check_tell(
        steps, CHECK_BTP_TOKEN, CHECK_OK, NULL,
        mem_format("XSUAA gave one%s%s", named ? ", through " : "", named ? proxy->text : ""),
        NULL);
    if (steps[CHECK_BTP_CERTIFICATE].left_out)
        return;
    if (fetch_certificate(f, (enum btp_level)t->fetch.level, t->fetch.name, &content, &why))
        judge(steps, t, &content);
    else
        tell(steps, CHECK_BTP_CERTIFICATE, &why);
    file_wipe(&content);
}

static void call(struct check_report steps[], struct tenant *t, const struct service_key *key,
                 const struct web_proxy *proxy)
{
    struct fetch_failure failure;
    struct fetch *f;

    if (fetch_new(key, NULL, proxy, 1, &f, &failure)) {
        ask(steps, t, proxy, f);
        fetch_free(f);
    } else {
        tell(steps, CHECK_BTP_TOKEN, &failure);
    }
}

void check_btp(struct check_report steps[], const struct config *c, struct tenant *t)
{
    struct fetch_failure failure = {.cause = NULL};
    struct service_key key;
    struct btp_way way;

    if (steps[CHECK_BTP_TOKEN].left_out)
        return;
    if (service_key_read(t->fetch.service_key_file, &key, &failure.why) != ST_OK) {
        failure.cause = cause_of(CAUSE_BTP_SERVICE_KEY);
        tell(steps, CHECK_BTP_TOKEN, &failure);
        return;
    }
    if (btp_way_of(c, t, &way, &failure.why) == ST_OK) {
        call(steps, t, &key, &way.proxy);
        btp_way_end(&way);
    } else {
        failure.cause = cause_of(CAUSE_BTP_PROXY_AUTH);
        tell(steps, CHECK_BTP_TOKEN, &failure);
    }
    service_key_free(&key);
}
