#include "policy/validity.h"

#include "base/clock.h"

bool identity_is_presentable(const struct tenant *t, int identity, struct failure *why)
{
    const struct credential *c = t->identities[identity].credential;
    int64_t now = clock_wall_s();

    char date[CLOCK_TEXT_SIZE];

    if (c == NULL) {
        failure_set(why, FAIL_CERTIFICATE_NOT_FETCHED,
                    "The client certificate of tenant %s has not been fetched from BTP yet.",
                    t->name);
        return false;
    }
    if (now > credential_not_after(c)) {
        clock_text_s(credential_not_after(c), date);
        failure_set(why, FAIL_CERTIFICATE_EXPIRED,
                    "The client certificate of tenant %s (%s in %s) has expired on %.10s and is "
                    "not presented.",
                    t->name, credential_subject(c), t->identities[identity].certificate, date);
        return false;
    }
    if (now < credential_not_before(c)) {
        clock_text_s(credential_not_before(c), date);
        failure_set(why, FAIL_CERTIFICATE_NOT_YET_VALID,
                    "The client certificate of tenant %s (%s in %s) is not valid before %.10s.",
                    t->name, credential_subject(c), t->identities[identity].certificate, date);
        return false;
    }
    return true;
}

bool tenant_is_presentable(const struct tenant *t)
{
    struct failure ignored;

    for (int i = 0; i < IDENTITIES; i++)
        if (tenant_has_identity(t, i) && identity_is_presentable(t, i, &ignored))
            return true;
    return false;
}
