#include "upstream/evidence.h"

#include "sf/hosts.h"
#include "tls/presented.h"

static enum cause_chain chain_of(enum tls_flaw flaw)
{
    static const enum cause_chain same[] = {
        [TLS_FLAW_NONE] = CHAIN_FINE,
        [TLS_FLAW_SELF_SIGNED] = CHAIN_SELF_SIGNED,
        [TLS_FLAW_ISSUER_UNKNOWN] = CHAIN_UNKNOWN,
        [TLS_FLAW_CHAIN_SHORT] = CHAIN_LACKS_ONE,
        [TLS_FLAW_NOT_YET_VALID] = CHAIN_NOT_YET_VALID,
    };

    return same[flaw];
}

void evidence_collect(const struct tenant *t, const struct tls_report *report, const SSL *ssl,
                      struct cause_evidence *out)
{
    const char *host = t->server.host;

    *out = (struct cause_evidence){.is_sf = sf_lookup_host(host).kind == SF_API,
                                   .has_ca_file = t->ca_file != NULL,
                                   .has_connect_to = t->connect_to.host != NULL,
                                   .is_mistyped = sf_meant_host(host) != NULL,
                                   .talk = report->is_not_tls   ? TALK_NOT_TLS
                                           : report->is_too_old ? TALK_OLD_VERSION
                                                                : TALK_FINE,
                                   .chain = chain_of(report->flaw),
                                   .alert = report->alert};
    if (ssl != NULL) {
        out->ca_is_not_wanted = presented_is_of_another_ca(ssl);
        out->own_is_not_for_clients = presented_is_not_for_clients(ssl);
        out->own_chain_is_short = presented_is_alone(ssl);
    }
}

static void say(const struct tenant *t, const struct cause *c, struct failure *why)
{
    const struct diag said = why->detail;

    if (c == cause_of(CAUSE_CONNECT_TO))
        diag_set(&why->detail,
                 "The place that connect-to names instead of %s cannot be reached: %s",
                 t->server.host, said.text);
    else if (c == cause_of(CAUSE_SERVER_MISTYPED))
        diag_set(&why->detail, "%s Did you mean %s?", said.text,
                 sf_meant_host(t->server.host)->api);
    else if (cause_says_more(c))
        diag_set(&why->detail, "%s %s", c->sentence, said.text);
}

void evidence_explain(const struct tenant *t, const struct cause_evidence *e, struct failure *why)
{
    const struct cause *c = cause_of_failure(why->id, e);

    if (c == NULL)
        return;
    say(t, c, why);
    cause_refine(why, c);
}
