#include "cli/cert_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "btp/fetch.h"
#include "btp/store.h"
#include "cli/cli.h"
#include "cli/prompt.h"
#include "config/parent_proxy.h"
#include "config/value.h"
#include "ops/btp_way.h"
#include "tls/issue.h"

enum { TRIES = 4 };

struct job {
    const struct cert_fetch *a;
    const char *out;
    enum btp_level level;
    struct certificate_wish wish;
    struct parent_options parent;
    struct btp_way way;
    struct fetch *fetch;
    struct buf content;
};

/* ---- the command line ---- */

static int lacks(const char *option)
{
    return cli_usage("cert", "%s is missing", option);
}

static int check_names(const struct cert_fetch *a)
{
    if (a->service_key == NULL)
        return lacks("--service-key FILE");
    if (a->name == NULL)
        return lacks("--name NAME");
    if (!ask_is_name(a->name))
        return cli_usage("cert", "--name: a certificate in BTP has the name of a file, such as "
                                 "sfmtls.pem");
    if (a->csr && a->key_out == NULL)
        return lacks("--key-out FILE");
    if (a->csr && a->common_name == NULL)
        return lacks("--common-name NAME");
    if (!a->csr &&
        (a->key_out != NULL || a->common_name != NULL || a->validity != NULL || a->no_renew))
        return cli_usage("cert", "--key-out, --common-name, --validity and --no-renew go with "
                                 "--csr");
    if (a->csr && a->out != NULL && strcmp(a->out, "-") == 0)
        return cli_usage("cert", "--csr needs a file for -o, not stdout");
    return EXIT_DONE;
}

/* The texts are borrowed. */
static enum status read_way(struct job *j, struct diag *why)
{
    const struct cert_fetch *a = j->a;
    struct parent_options *o = &j->parent;
    const char *key = "parent-proxy-auth";
    enum status st = value_choice(a->proxy_auth == NULL ? "auto" : a->proxy_auth,
                                  "auto|basic|digest|negotiate|ntlm", &o->auth, why);

    o->proxy = (char *)(uintptr_t)a->proxy;
    o->user = (char *)(uintptr_t)a->proxy_user;
    o->password_file = (char *)(uintptr_t)a->proxy_password_file;
    bool by_system = a->proxy == NULL || strcmp(a->proxy, "system") == 0;
    if (st == ST_OK)
        st = parent_proxy_check(o, by_system, &key, why);
    if (st == ST_OK) {
        key = "parent-proxy";
        st = btp_way_find(o, "--parent-proxy", &j->way, why);
    }
    if (st != ST_OK) {
        char *option = mem_format("--%s", key);
        diag_place(why, option);
        free(option);
    }
    return st;
}

static int parse(const struct cert_fetch *a, struct job *j)
{
    int code = check_names(a);

    if (code != EXIT_DONE)
        return code;
    *j = (struct job){.a = a, .out = a->out == NULL ? a->name : a->out};
    if (a->level != NULL && strcmp(a->level, "subaccount") != 0 &&
        strcmp(a->level, "instance") != 0)
        return cli_usage("cert", "--level %s: write subaccount or instance", a->level);
    j->level = a->level != NULL && *a->level == 'i' ? LEVEL_INSTANCE : LEVEL_SUBACCOUNT;
    j->wish = (struct certificate_wish){
        .name = a->name, .common_name = a->common_name, .renews = !a->no_renew};
    if (!ask_parse_span(a->validity == NULL ? "12m" : a->validity, &j->wish.span))
        return cli_usage("cert", "--validity %s: write a number with d, m or y, such as 12m",
                         a->validity);
    return EXIT_DONE;
}

/* ---- messages ---- */

static int fail(const struct fetch_failure *f)
{
    cli_say("%s: %s. %s", f->cause->code, f->why.text, f->cause->cure);
    return EXIT_FAILED;
}

static void tell(const struct job *j, const struct credential *c)
{
    char *issuer = credential_issuer(c);

    cli_say("%s is in %s (%s, issued by %s)", j->a->name, j->out, credential_subject(c), issuer);
    free(issuer);
}

/* ---- into the file ---- */

static int unfit(const struct job *j, const struct diag *flaw)
{
    struct fetch_failure f = {.cause = NULL};

    fetch_fail(&f, CAUSE_BTP_CERTIFICATE_UNFIT, "%s was fetched, but %s", j->a->name, flaw->text);
    return fail(&f);
}

/* Looks at the new certificate with its key, which may be in another file. Both have to fit before
 * anything is replaced. */
static enum status look(const struct job *j, const char *path, struct credential **out,
                        struct diag *why)
{
    const char *key = j->a->csr ? j->a->key_out : j->a->private_key;
    struct credential_files files = {.certificate = path,
                                     .private_key = key,
                                     .passphrase_file = j->a->passphrase_file,
                                     .ask = prompt_ask};
    enum credential_source source;

    if (key != NULL)
        return credential_load(&files, out, &source, why);
    enum status st = store_look(path, &files, out, why);
    if (st == ST_OK && (st = store_judge(*out, false, why)) != ST_OK)
        credential_unref(*out);
    return st;
}

static int save(struct job *j)
{
    struct credential *c = NULL;
    char *temporary;
    struct diag why;
    enum status st = store_put(j->out, buf_slice(&j->content), &temporary, &why);

    if (st != ST_OK)
        return cli_error(ST_SYSTEM, &why);
    st = look(j, temporary, &c, &why);
    if (st != ST_OK && st != ST_LOCKED) {
        store_drop(temporary);
        return unfit(j, &why);
    }
    if (store_settle(temporary, j->out, &why) != ST_OK) {
        credential_unref(c);
        return cli_error(ST_SYSTEM, &why);
    }
    if (st == ST_OK)
        tell(j, c);
    else
        cli_say("%s is in %s; its key has a passphrase, which passphrase-file has to give",
                j->a->name, j->out);
    credential_unref(c);
    return EXIT_DONE;
}

static int deliver(struct job *j)
{
    if (strcmp(j->out, "-") != 0)
        return save(j);
    (void)fwrite(j->content.p, 1, j->content.n, stdout);
    return EXIT_DONE;
}

/* ---- with a key of our own ---- */

static void tell_key(const struct job *j, const char *what)
{
    cli_say("the certificate %s and its key is in %s: get it later by `cert fetch --private-key "
            "%s`",
            what, j->a->key_out, j->a->key_out);
}

/* Writes the key to the disk before BTP is asked, because a certificate without its key is worth
 * nothing. The key stays there if BTP may have made the certificate. */
static enum status make_request(const struct job *j, struct buf *request, struct diag *why)
{
    struct credential *c = NULL;
    enum status st = credential_new_key(KEY_RSA_3072, &c, why);

    if (st == ST_OK)
        st = issue_request(c, j->a->common_name, NULL, request, why);
    if (st == ST_OK)
        st = credential_save_key(c, j->a->key_out, why);
    credential_unref(c);
    return st;
}

static int order(struct job *j)
{
    struct buf request = {0};
    struct fetch_failure failure = {.cause = NULL};
    struct diag why;

    if (!fetch_token(j->fetch, &failure)) /* before any file is made */
        return fail(&failure);
    if (make_request(j, &request, &why) != ST_OK) {
        buf_free(&request);
        return cli_error(ST_BAD_INPUT, &why);
    }
    j->wish.request = buf_slice(&request);
    bool ordered = fetch_order(j->fetch, j->level, &j->wish, &failure);
    buf_free(&request);
    if (ordered)
        return EXIT_DONE;
    if (failure.is_open)
        tell_key(j, "may have been made");
    else
        (void)unlink(j->a->key_out);
    return fail(&failure);
}

/* ---- all of it ---- */

static int fetch(struct job *j)
{
    struct fetch_failure failure = {.cause = NULL};

    if (j->a->csr) {
        int code = order(j);
        if (code != EXIT_DONE)
            return code;
    }
    if (fetch_certificate(j->fetch, j->level, j->a->name, &j->content, &failure))
        return deliver(j);
    if (j->a->csr)
        tell_key(j, "was requested");
    return fail(&failure);
}

int cert_fetch(const struct cert_fetch *a)
{
    struct fetch_failure failure;
    struct service_key key;
    struct job j;
    struct diag why;
    int code = parse(a, &j);

    if (code != EXIT_DONE)
        return code;
    if (read_way(&j, &why) != ST_OK)
        return cli_error(ST_BAD_INPUT, &why);
    if (service_key_read(a->service_key, &key, &why) != ST_OK) {
        btp_way_end(&j.way);
        return cli_error(ST_BAD_INPUT, &why);
    }
    code = fetch_new(&key, a->ca_file, &j.way.proxy, TRIES, &j.fetch, &failure) ? fetch(&j)
                                                                                : fail(&failure);
    fetch_free(j.fetch);
    file_wipe(&j.content);
    service_key_free(&key);
    btp_way_end(&j.way);
    return code;
}
