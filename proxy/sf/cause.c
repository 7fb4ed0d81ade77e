#include "sf/cause.h"

#include <assert.h>
#include <string.h>

#define STALE_TOKEN                                                                                \
    "Let the caller send no Authorization field, or set `authorization = strip` for the tenant: "  \
    "the client certificate alone is enough. A caller that needs OAuth must fetch a new token."
#define LOGIN_EXCEPTIONS                                                                           \
    "In SuccessFactors, add the public address of this network to the mapped user's API login "    \
    "exceptions (Password & Login Policy Settings, Set API login exceptions)."
#define LOGIN_CODES "KBA 2524436"

static const struct cause table[CAUSE_COUNT] = {
    [CAUSE_SERVER_MISTYPED] =
        {"server-mistyped", WHERE_NAME,
         "the name does not exist and differs by a letter or two from a known API server",
         "The name of the server does not exist, but a known API server has nearly the same name.",
         "Correct `server` in the configuration; `sfmtls hosts` lists the known API servers.", ""},
    [CAUSE_COMPANY_MISTYPED] =
        {"company-mistyped", WHERE_CONFIGURATION,
         "no tenant has the company ID of the request, but one differs by a letter or two, or by "
         "upper and lower case",
         "No tenant has the company ID of the request, but one has nearly the same.",
         "Correct the company ID in the request, or `company-id` in the configuration; upper and "
         "lower case count.",
         ""},
    [CAUSE_CLOCK] =
        {"clock-wrong", WHERE_CONFIGURATION,
         "the server's Date field differs from this machine's clock by more than five minutes",
         "The clock of this machine is wrong, so certificates look expired or not yet valid.",
         "Set the clock of this machine, and let a time service (NTP) keep it.", ""},

    [CAUSE_CERTIFICATE_UNREADABLE] =
        {"certificate-unreadable", WHERE_CERTIFICATE,
         "a file of certificate, private-key or passphrase-file cannot be read",
         "The certificate or its private key cannot be read.",
         "Correct the path, let the user of sfmtls read the file, or export it again, as PEM with "
         "its chain or as PKCS#12; `sfmtls cert show FILE` says what it holds.",
         ""},
    [CAUSE_PASSPHRASE] = {"passphrase-wrong", WHERE_CERTIFICATE,
                          "the private key cannot be decrypted with the passphrase",
                          "The passphrase of the private key is wrong or missing.",
                          "Put the passphrase that the key was made with into the file that "
                          "`passphrase-file` names.",
                          ""},
    [CAUSE_KEY_MISMATCH] = {"private-key-mismatch", WHERE_CERTIFICATE,
                            "the public key of the certificate is another than that of the key",
                            "The private key does not belong to the certificate.",
                            "Use the private key that the certificate was requested with; "
                            "`sfmtls cert show` compares them.",
                            ""},
    [CAUSE_NO_CLIENT_AUTH] =
        {"no-client-auth", WHERE_CERTIFICATE,
         "the certificate has an extended key usage, and clientAuth is not in it",
         "The certificate is not made for clients: its extended key usage lacks clientAuth.",
         "Request a certificate with the extended key usage clientAuth; public CAs no longer issue "
         "these, SAP Cloud Root CA does.",
         "KBA 3711618"},
    [CAUSE_CERTIFICATE_ENDS_SOON] =
        {"client-certificate-ends-soon", WHERE_CERTIFICATE,
         "the certificate ends within the days that --fail-days names, or 30",
         "The client certificate ends soon.",
         "Renew the certificate now and set it as `certificate-next`; if issuer and subject stay "
         "the same, its mapping in Security Center usually does, too.",
         "KBA 3423003"},
    [CAUSE_OWN_CHAIN_INCOMPLETE] =
        {"client-chain-incomplete", WHERE_CERTIFICATE,
         "the server sends the alert unknown_ca or bad_certificate, and the file has no "
         "certificate "
         "of the issuer",
         "The server cannot verify the client certificate, because the file has no certificate of "
         "the CA that issued it.",
         "Put the whole chain into the file that `certificate` names: the certificate, then each "
         "CA above it.",
         "KBA 3419621"},
    [CAUSE_OWN_REVOKED] = {"client-certificate-revoked", WHERE_TLS,
                           "the server sends the alert certificate_revoked",
                           "The server says that the client certificate was revoked by its CA.",
                           "Request a new certificate and put it into the file that `certificate` "
                           "names.",
                           ""},
    [CAUSE_OWN_EXPIRED_THERE] =
        {"client-certificate-expired-at-server", WHERE_TLS,
         "the server sends the alert certificate_expired",
         "The server says that the client certificate, or a CA in its chain, has expired or is not "
         "valid yet.",
         "Check this machine's clock, and each certificate of the chain (`sfmtls cert show`); "
         "renew what has expired.",
         ""},
    [CAUSE_OWN_CA_NOT_WANTED] =
        {"client-ca-not-accepted", WHERE_TLS,
         "the server has refused the certificate, and no CA of its chain is among those that the "
         "server named",
         "The server does not accept the CA that issued the client certificate.",
         "Use a certificate of a CA that the server accepts; for SuccessFactors that is SAP Cloud "
         "Root CA.",
         "KBA 3419621"},

    [CAUSE_CONNECT_TO] =
        {"connect-to-unreachable", WHERE_CONNECTION,
         "the name or address of connect-to does not exist, or no connection to it comes about",
         "The place that `connect-to` names cannot be reached.",
         "Check name, address and port of `connect-to`, and that something listens there.", ""},
    [CAUSE_NOT_TLS] = {"server-not-tls", WHERE_TLS, "what the server sends is not TLS",
                       "The server does not speak TLS on this port.",
                       "Check the port of `server`: API servers use 443.", ""},
    [CAUSE_TLS_TOO_OLD] =
        {"server-tls-too-old", WHERE_TLS, "the server offers only TLS 1.1 or older",
         "The server speaks only versions of TLS that are too old to be safe.",
         "Check that `server` (or connect-to) leads to the right machine; its operator must enable "
         "TLS 1.2 or 1.3.",
         "RFC 8996"},
    [CAUSE_HTTP2_ONLY] = {"server-http2-only", WHERE_TLS,
                          "the server sends the alert no_application_protocol",
                          "The server does not speak HTTP/1.1, the version that sfmtls speaks.",
                          "Check that `server` (or connect-to) names an API server of "
                          "SuccessFactors, which all speak HTTP/1.1; otherwise, its operator must "
                          "enable that version.",
                          "RFC 7301"},
    [CAUSE_TLS_INSPECTED] =
        {"tls-inspected", WHERE_TLS,
         "a server of SuccessFactors has a certificate of a CA that the system does not know, or "
         "does not ask for the client certificate",
         "Something between here and the server inspects TLS: it answers in place of the server.",
         "Let your network's administrators exempt the server from TLS inspection; a client "
         "certificate does not work through it.",
         "KBA 3012376"},
    [CAUSE_SERVER_SELF_SIGNED] =
        {"server-certificate-self-signed", WHERE_TLS, "the server's certificate is its own issuer",
         "The server's certificate is signed by itself, not by a CA.",
         "Check that `server` leads to the right machine; if it does, put this certificate, which "
         "`openssl s_client -connect HOST:PORT` shows, into the file that `ca-file` names.",
         ""},
    [CAUSE_SERVER_ISSUER_UNKNOWN] =
        {"server-issuer-unknown", WHERE_TLS,
         "the CA that issued the server's certificate is not among the system's roots",
         "The server's certificate was issued by a CA that this machine does not know.",
         "For a private CA put its root into a file that `ca-file` names; if your network inspects "
         "TLS, exempt the server from it.",
         ""},
    [CAUSE_SERVER_NOT_OF_CA_FILE] =
        {"ca-file-lacks-issuer", WHERE_TLS,
         "the CA that issued the server's certificate is not in ca-file",
         "The server's certificate was issued by a CA that is not in the file of `ca-file`.",
         "Put the root of the server's CA into that file, or remove `ca-file` to use the system's "
         "roots.",
         ""},
    [CAUSE_SERVER_CHAIN_INCOMPLETE] =
        {"server-chain-incomplete", WHERE_TLS,
         "the server sends only its own certificate, and the issuer is neither trusted nor sent",
         "The server does not send the intermediate certificate that issued its own.",
         "The server's operator must install the whole chain; until then, put the missing "
         "certificate into a file that `ca-file` names.",
         ""},
    [CAUSE_SERVER_NOT_YET_VALID] =
        {"server-certificate-not-yet-valid", WHERE_TLS,
         "the validity of the server's certificate begins later",
         "The server's certificate, or one above it, is not valid yet.",
         "Check this machine's clock; if it is right, the server's operator must install a valid "
         "certificate.",
         ""},

    [CAUSE_AUTH0032] =
        {"auth0032", WHERE_ANSWER, "[AUTH0032] in an error",
         "SuccessFactors does not accept this client certificate for this company: either its "
         "X.509 "
         "mapping in Security Center is missing, wrong or not synchronised, or the company ID is "
         "wrong.",
         "Compare the mapping in Security Center with the certificate (`sfmtls cert show`), and "
         "`company-id`, in which upper and lower case count. `sfmtls check --probe` can tell the "
         "two apart: the company ID is wrong if the plain host answers LGN0008. If all are right, "
         "delete the mapping and upload the same certificate again; it can need hours to work.",
         "KBA 3333286, KBA 3505973"},
    [CAUSE_AUTH_UNKNOWN] =
        {"auth-unknown", WHERE_ANSWER, "[AUTHnnnn] in an error, with a number that has no row",
         "SuccessFactors does not accept the authentication: it answered [{}], which sfmtls does "
         "not know.",
         "Check the certificate's mapping in Security Center and `company-id`, and look the code "
         "up "
         "in SAP's knowledge base.",
         ""},
    [CAUSE_EDGE_CERTIFICATE_ERROR] =
        {"edge-certificate-error", WHERE_ANSWER,
         "400 with a page whose title says \"SSL certificate error\"",
         "The server does not accept the client certificate: it has expired, its chain is "
         "incomplete, or the server does not accept its CA.",
         "Check the dates and the chain (`sfmtls cert show`); the whole chain must be in the file, "
         "and SuccessFactors accepts certificates below SAP Cloud Root CA.",
         "KBA 3419621"},
    [CAUSE_EDGE_NO_CERTIFICATE] =
        {"edge-no-certificate", WHERE_ANSWER,
         "400 with a page whose title says \"No required SSL certificate was sent\"",
         "No client certificate reached the server.",
         "Exempt the server from TLS inspection, if there is any. If the key is EC (`sfmtls cert "
         "show` names its type), or RSA with less than 2048 bits, use RSA with 2048 bits or more: "
         "a "
         "server that does not accept the key's signatures gets no certificate.",
         "nginx, status 496"},

    [CAUSE_LGN0001] = {"lgn0001", WHERE_ANSWER, "[LGN0001] in an error",
                       "The server has no API at the path of the request.",
                       "Check the path: an API begins, for example, with /odata/v2/.", LOGIN_CODES},
    [CAUSE_LGN0002] =
        {"lgn0002", WHERE_ANSWER, "[LGN0002] in an error",
         "The user to whom the certificate is mapped may not use the OData API.",
         "In SuccessFactors, give that user's role the permission for admin access to the OData "
         "API, or enter a user who has it as login name of the X.509 mapping.",
         LOGIN_CODES},
    [CAUSE_LGN0003] =
        {"lgn0003", WHERE_ANSWER, "[LGN0003] in an error",
         "SuccessFactors saw no client certificate: the request went to the plain API server "
         "instead of the certificate host.",
         "Set `server` to the API server without `server-as-is`, so that sfmtls calls its "
         "certificate host (*.cert.*, see `sfmtls hosts`); if it does so already, check "
         "`company-id`.",
         "KBA 2524436, KBA 3737619"},
    [CAUSE_LGN0004] = {"lgn0004", WHERE_ANSWER, "[LGN0004] in an error",
                       "The request went to a host that does not serve APIs, such as one of the "
                       "user interface.",
                       "Set `server` to the API server of your data center; `sfmtls hosts` lists "
                       "them.",
                       LOGIN_CODES},
    [CAUSE_LGN0005] = {"lgn0005", WHERE_ANSWER, "[LGN0005] in an error",
                       "The request carried an OAuth token that SuccessFactors cannot read.",
                       STALE_TOKEN, LOGIN_CODES},
    [CAUSE_LGN0006] = {"lgn0006", WHERE_ANSWER, "[LGN0006] in an error",
                       "The request carried a token that has expired.", STALE_TOKEN, LOGIN_CODES},
    [CAUSE_LGN0007] = {"lgn0007", WHERE_ANSWER, "[LGN0007] in an error",
                       "The request carried an OAuth token that is not valid.", STALE_TOKEN,
                       LOGIN_CODES},
    [CAUSE_LGN0008] =
        {"lgn0008", WHERE_ANSWER, "[LGN0008] in an error",
         "SuccessFactors does not know the company ID of the request on this server.",
         "Correct `company-id`, in which upper and lower case count, or set `server` to the API "
         "server of the company's data center.",
         LOGIN_CODES},
    [CAUSE_LGN0009] = {"lgn0009", WHERE_ANSWER, "[LGN0009] in an error",
                       "The OData API is switched off for this company.",
                       "Let SAP or your partner enable the OData API in Provisioning.",
                       LOGIN_CODES},
    [CAUSE_LGN0010] =
        {"lgn0010", WHERE_ANSWER, "[LGN0010] in an error",
         "The request carried Basic credentials, which this company does not accept any more.",
         "Let the caller send no Authorization field, or set `authorization = strip` for the "
         "tenant: the client certificate alone is enough.",
         LOGIN_CODES},
    [CAUSE_LGN0013] = {"lgn0013", WHERE_ANSWER, "[LGN0013] in an error",
                       "SuccessFactors does not let the mapped user log in from the address of "
                       "this network.",
                       LOGIN_EXCEPTIONS, "KBA 2988807, KBA 2253200"},
    [CAUSE_LGN0015] =
        {"lgn0015", WHERE_ANSWER, "[LGN0015] in an error",
         "The request carried Basic credentials with a wrong user name or password.",
         "Let the caller send no Authorization field, or set `authorization = strip` for the "
         "tenant: the client certificate alone is enough.",
         "KBA 3290097, KBA 3350811"},
    [CAUSE_LGN0022] = {"lgn0022", WHERE_ANSWER, "[LGN0022] in an error",
                       "The request carried an OAuth token that was rejected or has expired.",
                       STALE_TOKEN, "KBA 2872019"},
    [CAUSE_LGN_UNKNOWN] =
        {"lgn-unknown", WHERE_ANSWER, "[LGNnnnn] in an error, with a number that has no row",
         "SuccessFactors refuses the login: it answered [{}], which sfmtls does not know.",
         "Look the code up in SAP's knowledge base (KBA 2524436 lists many), and check the "
         "permissions of the mapped user.",
         LOGIN_CODES},

    [CAUSE_SFAPI_ADDRESS] =
        {"sfapi-address-refused", WHERE_ANSWER,
         "FAILED_AUTHENTICATION with (status code = 8) in an error of the SFAPI",
         "SuccessFactors does not let the user log in from the address of this network.",
         LOGIN_EXCEPTIONS, "KBA 2161058"},
    [CAUSE_SFAPI_LOGIN] =
        {"sfapi-login-failed", WHERE_ANSWER, "FAILED_AUTHENTICATION in an error of the SFAPI",
         "The login to the SFAPI failed.",
         "Check the user, the password and the company ID that the caller's login operation "
         "sends.",
         "KBA 2161058"},
    [CAUSE_SFAPI_SESSION] =
        {"sfapi-session-lost", WHERE_ANSWER, "INVALID_SESSION in an error of the SFAPI",
         "The session of the SFAPI is unknown to the server: the caller did not send its cookies, "
         "or it was idle for more than ten minutes.",
         "Let the caller log in again, and send all cookies of the login with each call "
         "(JSESSIONID "
         "and BIGip).",
         "KBA 2904498, KBA 2307715"},
    [CAUSE_OAUTH_CLIENT] =
        {"oauth-client-refused", WHERE_ANSWER,
         "401 with \"Unable to authenticate the client\" in errorMessage",
         "SuccessFactors refused the OAuth client or the user of a token request.",
         "Check client, user and company of the token request; calls through sfmtls need no token.",
         ""},
    [CAUSE_METADATA] = {"metadata-generating", WHERE_ANSWER,
                        "\"metadata is being generated\" in an error",
                        "SuccessFactors is still generating the OData metadata of this company.",
                        "Repeat the call in some minutes.", "KBA 2545055"},
    [CAUSE_BATCH_SIZE] = {"batch-too-large", WHERE_ANSWER,
                          "\"exceeds the maximum request count\" in an error",
                          "The $batch has more requests than SuccessFactors accepts, which is 180.",
                          "Let the caller split it into batches of at most 180 requests.",
                          "KBA 2614934"},
    [CAUSE_UPSERT_SIZE] =
        {"upsert-too-large", WHERE_ANSWER, "\"Upsert content exceeds the limitation\" in an error",
         "The upsert has more records than SuccessFactors accepts, which is 1000.",
         "Let the caller split it into upserts of at most 1000 records.", "KBA 3145174"},

    [CAUSE_TOO_MANY_REQUESTS] =
        {"too-many-requests", WHERE_ANSWER, "429",
         "The server accepts no more requests of this company for some time, whoever sent them.",
         "Wait as long as Retry-After says, else 300 seconds, and send fewer requests at a time.",
         "KBA 3159263"},
    [CAUSE_MAINTENANCE] =
        {"server-maintenance", WHERE_ANSWER, "503 that speaks of maintenance",
         "The server is down for maintenance.",
         "Repeat the call when the maintenance is over; the Trust Center of SAP shows when.",
         "KBA 2545055"},
    [CAUSE_UNAVAILABLE] =
        {"server-unavailable", WHERE_ANSWER, "503", "The server cannot serve requests now.",
         "Repeat the call after some minutes, or when Retry-After says; the Trust Center of SAP "
         "shows outages of SuccessFactors.",
         "KBA 2545055"},
    [CAUSE_BAD_GATEWAY] =
        {"server-bad-gateway", WHERE_ANSWER, "502",
         "The server's gateway got no good answer from the server behind it, for example "
         "because a session has timed out.",
         "Check whether the call took effect, then repeat it (log in again if it belongs to a "
         "session); the Trust Center of SAP shows outages.",
         "KBA 3308167, KBA 2545055"},
    [CAUSE_GATEWAY_TIMEOUT] =
        {"server-gateway-timeout", WHERE_ANSWER, "504",
         "The call took longer than the server's gateway waits; that of SuccessFactors waits seven "
         "minutes.",
         "Ask for less at a time (smaller pages, fewer fields), check whether the call took "
         "effect, "
         "and repeat it after five minutes.",
         "KBA 3308167"},

    [CAUSE_BTP_SERVICE_KEY] =
        {"btp-service-key", WHERE_BTP,
         "the file of the service key cannot be read, or lacks a member",
         "The service key of the Destination service cannot be used.",
         "Create a service key of the Destination service in the BTP cockpit, and save it as it is "
         "shown, readable for the user of sfmtls alone.",
         "SAP Help: Calling the Destination Service REST API"},
    [CAUSE_BTP_BINDING_EXPIRED] =
        {"btp-binding-expired", WHERE_BTP, "the X.509 certificate in the service key has ended",
         "The X.509 certificate in the service key has expired; it is valid for 7 days unless more "
         "was asked for (30 at most).",
         "Create a new service key, for unattended machines with a client secret or with a "
         "certificate of your own.",
         "SAP Help: Retrieve Credentials for Remote Applications"},
    [CAUSE_BTP_TOKEN_REFUSED] =
        {"btp-token-refused", WHERE_BTP, "XSUAA answers 400 or 401 when a token is asked for",
         "XSUAA refuses the service key: it was deleted or renewed, or is of another subaccount.",
         "Create a new service key of the Destination service in the BTP cockpit, and put it in "
         "the place of the old one.",
         "SAP Help: Calling the Destination Service REST API"},
    [CAUSE_BTP_NOT_PERMITTED] =
        {"btp-not-permitted", WHERE_BTP, "the Destination service answers 401 or 403",
         "The Destination service does not let this service key read certificates.",
         "Use a service key of an instance of the Destination service (plan lite) in the "
         "subaccount that has the certificate.",
         "SAP Help: Destination Service"},
    [CAUSE_BTP_CERTIFICATE_UNKNOWN] =
        {"btp-certificate-unknown", WHERE_BTP, "the Destination service answers 404",
         "The Destination service has no certificate of that name at that level.",
         "Correct the name (with its ending, such as .pem) and the level: subaccount for those of "
         "the cockpit's page Destination Certificates, instance for those of one service instance.",
         "SAP Help: Manage Destination Certificates"},
    [CAUSE_BTP_TOO_MANY_REQUESTS] =
        {"btp-too-many-requests", WHERE_BTP, "429", "BTP asks to call less often.",
         "Wait as long as Retry-After says; see whether something else uses the same service "
         "instance much.",
         ""},
    [CAUSE_BTP_UNREACHABLE] = {"btp-unreachable", WHERE_BTP,
                               "a name does not resolve, or no connection comes about in time",
                               "BTP cannot be reached from this machine.",
                               "Check the network, DNS and the firewall; if calls go through a "
                               "proxy, set parent-proxy.",
                               ""},
    [CAUSE_BTP_PROXY_UNREACHABLE] =
        {"btp-proxy-unreachable", WHERE_BTP,
         "the proxy has no address, takes no connection, or does not answer CONNECT",
         "The proxy through which BTP is called cannot be reached.",
         "Check host and port of parent-proxy, or of https_proxy where parent-proxy is not set, "
         "and that the proxy runs.",
         ""},
    [CAUSE_BTP_PROXY_AUTH] =
        {"btp-proxy-auth", WHERE_BTP, "the proxy answers CONNECT with 407",
         "The proxy through which BTP is called does not accept who sfmtls says it is.",
         "Check parent-proxy-user and the file of parent-proxy-password-file, or provide a "
         "Kerberos ticket. Basic is used only with parent-proxy-auth = basic.",
         ""},
    [CAUSE_BTP_PROXY_REFUSED] =
        {"btp-proxy-refused", WHERE_BTP, "the proxy answers CONNECT with another error than 407",
         "The proxy does not let calls of BTP through.",
         "Have the proxy permit CONNECT to port 443 of the hosts in the service key (url or "
         "certurl, and uri).",
         ""},
    [CAUSE_BTP_TLS] = {"btp-tls", WHERE_BTP, "the TLS handshake with BTP fails",
                       "The certificate of BTP's server cannot be verified, or TLS fails.",
                       "If your network inspects TLS, exempt BTP's servers from it or name its CA "
                       "(SSL_CERT_FILE);"
                       " else install ca-certificates.",
                       ""},
    [CAUSE_BTP_UNAVAILABLE] = {"btp-unavailable", WHERE_BTP, "5xx",
                               "BTP has an outage or is overloaded.",
                               "Nothing has to be done at once: it is asked again, less and less "
                               "often.",
                               ""},
    [CAUSE_BTP_ANSWER] =
        {"btp-answer", WHERE_BTP,
         "an answer of BTP is cut off, too large, not what is documented, or of another status",
         "An answer of BTP is damaged or not known to sfmtls.",
         "Check that the URLs in the service key are BTP's and that no proxy changes answers; if "
         "it lasts, report it.",
         ""},
    [CAUSE_BTP_KEY_STORE] =
        {"btp-key-store", WHERE_BTP, "the content begins as a Java key store",
         "The certificate in BTP is a Java key store (JKS).",
         "Convert it by `keytool -importkeystore -srckeystore FILE.jks "
         "-destkeystore FILE.p12 -deststoretype PKCS12`, and upload the result.",
         ""},
    [CAUSE_BTP_CERTIFICATE_UNFIT] =
        {"btp-certificate-unfit", WHERE_BTP,
         "what was fetched cannot be read, has expired, or has another key than the one here",
         "The certificate that BTP has cannot take the place of the one in use.",
         "Renew it in the BTP cockpit (Destination Certificates); `sfmtls cert fetch` shows at "
         "once "
         "whether the new one can be used.",
         "SAP Help: Manage Destination Certificates"},
    [CAUSE_BTP_STORE] = {"btp-store", WHERE_BTP, "certificate-store cannot be written",
                         "What was fetched cannot be written into certificate-store.",
                         "Make room, and give the folder to the user of sfmtls with mode 0700.",
                         ""},
    [CAUSE_BTP_HELPER] =
        {"btp-helper", WHERE_BTP, "the process that fetches the certificate has ended or hangs",
         "The process that fetches certificates has ended before it was done.",
         "Nothing has to be done at once: it is started again. Install libcurl4 if the log says "
         "that it is missing.",
         ""},
};

const struct cause *cause_of(enum cause_id id)
{
    assert(id < CAUSE_COUNT);
    return &table[id];
}

enum cause_id cause_id(const struct cause *c)
{
    return (enum cause_id)(c - table);
}

const struct cause *cause_find(const char *code)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        if (strcmp(table[i].code, code) == 0)
            return &table[i];
    return NULL;
}

const char *cause_where_text(enum cause_where where)
{
    static const char *const names[] = {
        [WHERE_CONFIGURATION] = "configuration",
        [WHERE_CERTIFICATE] = "certificate",
        [WHERE_NAME] = "name",
        [WHERE_CONNECTION] = "connection",
        [WHERE_TLS] = "TLS",
        [WHERE_ANSWER] = "answer",
        [WHERE_BTP] = "BTP",
    };

    return names[where];
}

void cause_refine(struct failure *f, const struct cause *c)
{
    if (c != NULL)
        failure_refine(f, c->code, c->cure);
}

void cause_sentence(struct buf *out, const struct cause *c, const struct cause_found *found)
{
    const char *at = strstr(c->sentence, "{}");

    if (at == NULL) {
        buf_add_string(out, c->sentence);
        return;
    }
    buf_add(out, c->sentence, (size_t)(at - c->sentence));
    buf_add_string(out, found->raw);
    buf_add_string(out, at + 2);
}
