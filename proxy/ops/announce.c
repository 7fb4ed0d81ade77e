#include "ops/announce.h"

#include "base/clock.h"
#include "base/log.h"
#include "ops/descriptors.h"

static bool is_valid(const struct tenant *t, int i, int64_t now)
{
    return tenant_has_identity(t, i) && credential_is_valid(t->identities[i].credential, now);
}

/* What happens to the requests now that identity i cannot be presented. */
static const char *consequence(const struct tenant *t, int i, int64_t now)
{
    if (is_valid(t, 1 - i, now))
        return "; the other certificate serves in its place";
    return i == IDENTITY_NEXT ? "" : "; its requests get 502 until a valid one is there";
}

static void tell_identity(const struct tenant *t, int i, int64_t now)
{
    const struct credential *c = t->identities[i].credential;
    int64_t end = credential_not_after(c);
    char until[CLOCK_TEXT_SIZE];

    clock_text_s(end, until);
    if (end < now)
        return; /* announce_expiry() warns of that */
    if (credential_not_before(c) > now)
        log_say(i == IDENTITY_CURRENT ? LOG_ERROR : LOG_WARNING,
                "tenant %s: the %s %s is not valid yet%s", t->name, identity_title(i),
                credential_subject(c), consequence(t, i, now));
    else
        log_say(LOG_NOTICE, "tenant %s: company %s at %s, %s %s valid until %.10s (%d days)",
                t->name, t->company_id, t->peer, identity_title(i), credential_subject(c), until,
                (int)((end - now) / SECONDS_PER_DAY));
}

static void remind(const struct tenant *t, int i, int64_t now)
{
    const struct credential *c = t->identities[i].credential;
    int64_t left = credential_not_after(c) - now;
    int days = (int)(left / SECONDS_PER_DAY);
    char until[CLOCK_TEXT_SIZE];

    clock_text_s(credential_not_after(c), until);
    if (left < 0)
        log_say(LOG_ERROR, "tenant %s: the %s %s has expired on %.10s%s", t->name,
                identity_title(i), credential_subject(c), until, consequence(t, i, now));
    else
        log_say(LOG_WARNING, "tenant %s: the %s %s expires on %.10s, in %d day%s; have it renewed",
                t->name, identity_title(i), credential_subject(c), until, days,
                days == 1 ? "" : "s");
}

void announce_expiry(const struct config *c, struct expiry *e)
{
    int64_t now = clock_wall_s();

    for (size_t n = 0; n < c->ntenants * IDENTITIES; n++) {
        const struct tenant *t = c->tenants[n / IDENTITIES];
        int i = (int)(n % IDENTITIES);
        /* it was replaced, and may expire */
        bool replaced = i == IDENTITY_NEXT && tenant_fetches(t);
        if (tenant_has_identity(t, i) && !replaced &&
            expiry_is_due(e, n, credential_not_after(t->identities[i].credential) - now))
            remind(t, i, now);
    }
}

void announce_config(const struct config *c, struct expiry *e)
{
    int64_t now = clock_wall_s();

    for (size_t i = 0; i < c->nnotes; i++)
        log_say(c->notes[i].level, "%s", c->notes[i].sentence);
    descriptors_check(c);
    for (size_t i = 0; i < c->ntenants; i++)
        for (int k = 0; k < IDENTITIES; k++)
            if (tenant_has_identity(c->tenants[i], k))
                tell_identity(c->tenants[i], k, now);
    expiry_start(e, c->ntenants * IDENTITIES);
    announce_expiry(c, e);
}
