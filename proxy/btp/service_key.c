#include "btp/service_key.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "btp/wiping.h"

enum { MAX_URL = 1024, MAX_VALUE = 64 * 1024 };

static const char again[] = "create a service key of the Destination service in the BTP cockpit "
                            "and save it as it is shown";

/* ---- members ---- */

static enum status refuse(const char *path, const char *name, const char *flaw, struct diag *why)
{
    diag_at(why, path, "the service key's `%s` %s; %s", name, flaw, again);
    return ST_BAD_INPUT;
}

/* *out NULL: the member is missing. */
static enum status take(const char *path, json_t *from, const char *name, char **out,
                        struct diag *why)
{
    json_t *value = json_object_get(from, name);

    if (value == NULL || json_is_null(value))
        return ST_OK;
    const char *text = json_string_value(value);
    if (text == NULL || *text == '\0' || json_string_length(value) > MAX_VALUE ||
        strlen(text) != json_string_length(value))
        return refuse(path, name, "is not a text", why);
    *out = mem_copy_string(text);
    return ST_OK;
}

/* Is it a URL that secrets can be sent to? Nothing in it may lead elsewhere. */
static bool is_url(const char *text)
{
    size_t n = strlen(text);

    if (n > MAX_URL || strncmp(text, "https://", 8) != 0 || text[8] == '/' || text[8] == '\0')
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f || strchr("@?#\\\"<>", *p) != NULL)
            return false;
    return true;
}

static enum status take_url(const char *path, json_t *from, const char *name, char **out,
                            struct diag *why)
{
    enum status st = take(path, from, name, out, why);

    if (st != ST_OK)
        return st;
    if (*out == NULL)
        return refuse(path, name, "is missing", why);
    if (!is_url(*out))
        return refuse(path, name, "is not a URL that begins with https://", why);
    for (size_t n = strlen(*out); (*out)[n - 1] == '/'; n--)
        (*out)[n - 1] = '\0';
    return ST_OK;
}

/* ---- the whole key ---- */

static enum status take_identity(const char *path, json_t *from, struct service_key *k,
                                 struct diag *why)
{
    enum status st = take(path, from, "clientid", &k->client_id, why);

    if (st == ST_OK && k->client_id == NULL)
        st = refuse(path, "clientid", "is missing", why);
    if (st == ST_OK)
        st = take(path, from, "clientsecret", &k->client_secret, why);
    if (st != ST_OK || k->client_secret != NULL)
        return st;
    st = take(path, from, "certificate", &k->certificate, why);
    if (st == ST_OK)
        st = take(path, from, "key", &k->key, why);
    if (st == ST_OK && (k->certificate == NULL || k->key == NULL))
        st = refuse(path, "clientsecret", "is missing, and so are `certificate` and `key`", why);
    return st;
}

static enum status take_all(const char *path, json_t *document, struct service_key *k,
                            struct diag *why)
{
    json_t *inner = json_object_get(document, "credentials");
    json_t *from = json_is_object(inner) ? inner : document;

    if (!json_is_object(from)) {
        diag_at(why, path, "this is not a service key; %s", again);
        return ST_BAD_INPUT;
    }
    enum status st = take_identity(path, from, k, why);
    if (st == ST_OK)
        st = take_url(path, from, k->client_secret == NULL ? "certurl" : "url", &k->token_url, why);
    return st == ST_OK ? take_url(path, from, "uri", &k->service_url, why) : st;
}

enum status service_key_parse(const char *path, struct slice text, struct service_key *out,
                              struct diag *why)
{
    json_error_t error;

    wiping_begin();
    json_t *document = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);

    *out = (struct service_key){0};
    if (document == NULL) { /* the library's message would repeat a part of the text */
        diag_at(why, path, "line %d: this is not valid JSON; %s", error.line, again);
        return ST_BAD_INPUT;
    }
    enum status st = take_all(path, document, out, why);
    json_decref(document);
    if (st != ST_OK)
        service_key_free(out);
    return st;
}

static enum status check_mode(const char *path, struct diag *why)
{
    struct stat st;

    if (stat(path, &st) != 0 || (st.st_mode & S_IROTH) == 0)
        return ST_OK;
    diag_at(why, path, "every user of this machine may read the service key; chmod o-r %s", path);
    return ST_BAD_INPUT;
}

enum status service_key_read(const char *path, struct service_key *out, struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read(path, &text, why);

    *out = (struct service_key){0};
    if (st == ST_OK)
        st = check_mode(path, why);
    if (st == ST_OK)
        st = service_key_parse(path, buf_slice(&text), out, why);
    file_wipe(&text);
    return st;
}

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

void service_key_free(struct service_key *k)
{
    wipe(k->client_secret);
    wipe(k->key);
    free(k->client_id);
    free(k->certificate);
    free(k->token_url);
    free(k->service_url);
    *k = (struct service_key){0};
}
