/* Finds the cause of a failure of the proxy. See cause.h. */
#include "sf/cause.h"

/* alerts (RFC 8446, 6.2) */
enum {
    ALERT_BAD_CERTIFICATE = 42,
    ALERT_CERTIFICATE_REVOKED = 44,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_CERTIFICATE_UNKNOWN = 46,
    ALERT_UNKNOWN_CA = 48,
    ALERT_NO_APPLICATION_PROTOCOL = 120, /* RFC 7301, 3.2 */
};

static const struct cause *of_place(enum fail id, const struct cause_evidence *e)
{
    if (e->has_connect_to)
        return cause_of(CAUSE_CONNECT_TO);
    if (id == FAIL_NAME_NOT_FOUND && e->is_mistyped)
        return cause_of(CAUSE_SERVER_MISTYPED);
    return NULL;
}

static const struct cause *of_talk(const struct cause_evidence *e)
{
    switch (e->talk) {
    case TALK_NOT_TLS:
        return cause_of(CAUSE_NOT_TLS);
    case TALK_OLD_VERSION:
        return cause_of(CAUSE_TLS_TOO_OLD);
    default:
        return e->alert == ALERT_NO_APPLICATION_PROTOCOL ? cause_of(CAUSE_HTTP2_ONLY) : NULL;
    }
}

/* With ca-file the user has decided whom to trust. Otherwise a server of SuccessFactors has a
 * certificate of a CA that every system knows. */
static const struct cause *of_chain(const struct cause_evidence *e)
{
    switch (e->chain) {
    case CHAIN_FINE:
    case CHAIN_NOT_YET_VALID:
        return NULL;
    case CHAIN_LACKS_ONE:
        return cause_of(CAUSE_SERVER_CHAIN_INCOMPLETE);
    case CHAIN_SELF_SIGNED:
        return cause_of(e->is_sf && !e->has_ca_file ? CAUSE_TLS_INSPECTED
                                                    : CAUSE_SERVER_SELF_SIGNED);
    default:
        return cause_of(e->has_ca_file ? CAUSE_SERVER_NOT_OF_CA_FILE
                        : e->is_sf     ? CAUSE_TLS_INSPECTED
                                       : CAUSE_SERVER_ISSUER_UNKNOWN);
    }
}

static const struct cause *of_refusal(const struct cause_evidence *e)
{
    bool ca = e->alert == ALERT_UNKNOWN_CA || e->alert == ALERT_BAD_CERTIFICATE ||
              e->alert == ALERT_CERTIFICATE_UNKNOWN || e->alert == 0;

    if (e->own_is_not_for_clients)
        return cause_of(CAUSE_NO_CLIENT_AUTH);
    if (e->alert == ALERT_CERTIFICATE_REVOKED)
        return cause_of(CAUSE_OWN_REVOKED);
    if (e->alert == ALERT_CERTIFICATE_EXPIRED)
        return cause_of(CAUSE_OWN_EXPIRED_THERE);
    if (ca && e->own_chain_is_short)
        return cause_of(CAUSE_OWN_CHAIN_INCOMPLETE);
    return ca && e->ca_is_not_wanted ? cause_of(CAUSE_OWN_CA_NOT_WANTED) : NULL;
}

bool cause_says_more(const struct cause *c)
{
    switch (cause_id(c)) {
    case CAUSE_TLS_INSPECTED:
    case CAUSE_OWN_CHAIN_INCOMPLETE:
    case CAUSE_OWN_CA_NOT_WANTED:
    case CAUSE_NO_CLIENT_AUTH:
    case CAUSE_SERVER_CHAIN_INCOMPLETE:
    case CAUSE_TLS_TOO_OLD:
    case CAUSE_HTTP2_ONLY:
        return true;
    default:
        return false;
    }
}

const struct cause *cause_sharpen(const struct cause *c, const struct cause_evidence *e)
{
    const struct cause *better = cause_id(c) == CAUSE_EDGE_CERTIFICATE_ERROR ? of_refusal(e) : NULL;

    return better != NULL ? better : c;
}

const struct cause *cause_of_failure(enum fail id, const struct cause_evidence *e)
{
    switch (id) {
    case FAIL_NAME_NOT_FOUND:
    case FAIL_NAME_LOOKUP:
    case FAIL_NAME_TIMEOUT:
    case FAIL_CONNECT_REFUSED:
    case FAIL_CONNECT_UNREACHABLE:
    case FAIL_CONNECT_TIMEOUT:
        return of_place(id, e);
    case FAIL_TLS:
        return of_talk(e);
    case FAIL_SERVER_UNTRUSTED:
        return of_chain(e);
    case FAIL_SERVER_EXPIRED:
        return e->chain == CHAIN_NOT_YET_VALID ? cause_of(CAUSE_SERVER_NOT_YET_VALID) : NULL;
    case FAIL_CERTIFICATE_NOT_REQUESTED:
        return e->is_sf ? cause_of(CAUSE_TLS_INSPECTED) : NULL;
    case FAIL_CERTIFICATE_REFUSED:
        return of_refusal(e);
    default:
        return NULL;
    }
}
