#include "exchange/hint.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tls/facts.h"

enum {
    NAME_MAX_SHOWN = 120, /* bytes of an issuer or subject */
    /* A certificate or configuration that changed in this time may be the cause. */
    RECENTLY_US = 30 * 60 * 1000 * INT64_C(1000),
    /* The part of the field that is neither a text nor an escape. */
    FRAME = 40,
};

/* ---- the field ---- */

/* Writes a String (RFC 9651, 3.3.3), which can hold only ASCII. */
static void add_string(struct buf *out, struct slice text)
{
    buf_add(out, "\"", 1);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\')
            buf_add(out, "\\", 1);
        buf_add(out, c >= ' ' && c < 0x7f ? &c : "?", 1);
    }
    buf_add(out, "\"", 1);
}

void hint_write_field(struct buf *out, const struct cause *c, struct slice sentence)
{
    buf_addf(out, "Sfmtls-Hint: %s; cause=", c->code);
    add_string(out, sentence);
    buf_add_string(out, "; cure=");
    add_string(out, slice_of(c->cure));
    buf_add(out, "\r\n", 2);
}

/* ---- the sentence ---- */

static size_t escaped(struct slice text)
{
    size_t n = text.n;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '"' || text.p[i] == '\\' ? 1 : 0;
    return n;
}

/* Appends the part, and then empties it. A part that would make the hint longer than HINT_MAX is
 * left out. */
static void add_if_fits(struct buf *out, size_t start, const struct cause *c, struct buf *part)
{
    struct slice said = {out->p + start, out->n - start};
    size_t used = FRAME + strlen(c->code) + escaped(slice_of(c->cure)) + escaped(said);

    if (used + escaped(buf_slice(part)) + 1 <= HINT_MAX) {
        buf_add(out, " ", 1);
        buf_add_slice(out, buf_slice(part));
    }
    part->n = 0;
}

static const char *date(int64_t us, char text[CLOCK_TEXT_SIZE])
{
    clock_text(us, text);
    text[19] = 'Z'; /* in place of the milliseconds */
    text[20] = '\0';
    return text;
}

/* Names the certificate by the values that Security Center shows. */
static void describe_certificate(struct buf *part, const struct tenant *t, int identity)
{
    struct facts f;

    facts_collect(t->identities[identity].credential, 0, &f);
    buf_addf(part, "The certificate: issuer %.*s, subject %.*s, serial number %.*s, SHA-256 ",
             NAME_MAX_SHOWN, f.issuer, NAME_MAX_SHOWN, f.subject, (int)f.serial.n, f.serial.p);
    for (size_t i = 0; i < f.sha256.n; i++)
        if (f.sha256.p[i] != ':')
            buf_add(part, f.sha256.p + i, 1);
    buf_add(part, ".", 1);
    facts_free(&f);
}

static void tell_success(struct buf *part, const struct hint_history *h)
{
    const struct ledger_identity *i = &h->past.identities[h->identity];
    char text[CLOCK_TEXT_SIZE], before[CLOCK_TEXT_SIZE];

    if (i->last_success != 0)
        buf_addf(part, "This certificate worked until %s.", date(i->last_success, text));
    else if (i->previous_success != 0)
        buf_addf(part,
                 "A reload brought this certificate at %s; the one before it worked until %s.",
                 date(i->since, text), date(i->previous_success, before));
    else
        buf_addf(part, "No call with this certificate has succeeded since sfmtls loaded it at %s.",
                 date(i->since, text));
}

static bool is_recent(const struct hint_history *h, int64_t when)
{
    return when != 0 && h->now - when < RECENTLY_US;
}

static void tell_change(struct buf *part, const struct hint_history *h)
{
    char text[CLOCK_TEXT_SIZE];

    if (is_recent(h, h->switched))
        buf_addf(part, "sfmtls switched to %s at %s.", identity_title(h->identity),
                 date(h->switched, text));
    else if (h->loaded > h->past.begun && is_recent(h, h->loaded))
        buf_addf(part, "The configuration was reloaded at %s.", date(h->loaded, text));
}

static void tell_other(struct buf *part, const struct hint_history *h)
{
    const struct ledger_identity *mine = &h->past.identities[h->identity],
                                 *other = &h->past.identities[1 - h->identity];
    char text[CLOCK_TEXT_SIZE];

    if (tenant_has_identity(h->tenant, 1 - h->identity) &&
        other->last_success > mine->last_success && is_recent(h, other->last_success))
        buf_addf(part, "The other certificate, %s, worked at %s.", identity_title(1 - h->identity),
                 date(other->last_success, text));
}

/* Does the server refuse the certificate, or the user that it stands for? */
static bool is_about_identity(enum cause_id id)
{
    return (id >= CAUSE_AUTH0032 && id <= CAUSE_LGN_UNKNOWN) || cause_of(id)->where != WHERE_ANSWER;
}

static bool shows_certificate(enum cause_id id)
{
    return id == CAUSE_AUTH0032 || id == CAUSE_AUTH_UNKNOWN || id == CAUSE_EDGE_CERTIFICATE_ERROR ||
           cause_of(id)->where != WHERE_ANSWER;
}

/* TLS sends no certificate to a server that does not accept the signatures of its key. */
static void blame_key(struct buf *part, const struct tenant *t, int identity)
{
    char *type = credential_key_type(t->identities[identity].credential);

    if (strncmp(type, "RSA", 3) != 0)
        buf_addf(part, "Its key is %s, and a server that accepts RSA only gets no certificate.",
                 type);
    free(type);
}

static void add_certificate(struct buf *out, size_t start, const struct cause *c,
                            const struct tenant *t, int identity)
{
    struct buf part = {0};

    if (shows_certificate(cause_id(c)))
        describe_certificate(&part, t, identity);
    else if (cause_id(c) == CAUSE_EDGE_NO_CERTIFICATE)
        blame_key(&part, t, identity);
    if (part.n > 0)
        add_if_fits(out, start, c, &part);
    buf_free(&part);
}

void hint_write_sentence(struct buf *out, const struct cause *c, const struct cause_found *found,
                         const struct hint_history *h)
{
    static void (*const parts[])(struct buf *, const struct hint_history *) = {
        tell_success, tell_change, tell_other};
    size_t start = out->n;
    struct buf part = {0};

    cause_sentence(out, c, found);
    if (h->forwards_authorization && is_about_identity(cause_id(c))) {
        buf_add_string(&part, "The caller's own Authorization field was passed on, so it may be "
                              "what the server does not accept.");
        add_if_fits(out, start, c, &part);
    }
    add_certificate(out, start, c, h->tenant, h->identity);
    for (size_t i = 0; i < ARRAY_LEN(parts) && is_about_identity(cause_id(c)); i++) {
        parts[i](&part, h);
        if (part.n > 0)
            add_if_fits(out, start, c, &part);
    }
    buf_free(&part);
    buf_add(out, "", 1);
    out->n--;
}

void hint_write_known(struct buf *out, const struct cause *c, const struct cause_found *found,
                      const struct tenant *t, int identity)
{
    size_t start = out->n;

    cause_sentence(out, c, found);
    add_certificate(out, start, c, t, identity);
}
