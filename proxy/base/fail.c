#include "base/fail.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct fail_info table[FAIL_COUNT] = {
    [FAIL_NONE] = {"none", 0, "", BLAME_NOBODY, 0, "No failure", "Nothing failed.", ""},

    [FAIL_REQUEST_MALFORMED] = {"request-malformed", 400, "http_request_error", BLAME_CALLER, 0,
                                "Malformed request", "The request is not well-formed HTTP/1.1.",
                                "Correct the client. sfmtls accepts only the syntax of RFC 9112."},
    [FAIL_REQUEST_AMBIGUOUS] =
        {"request-ambiguous", 400, "http_request_error", BLAME_CALLER, 0, "Ambiguous request",
         "The length of the request's body can be read in more than one way.",
         "Send either one Content-Length or one Transfer-Encoding: chunked, never both."},
    [FAIL_REQUEST_TARGET] = {"request-target", 400, "http_request_error", BLAME_CALLER, 0,
                             "Bad request target",
                             "The request target holds a character that is not allowed in a URL.",
                             "Percent-encode blanks, control characters, '#' and '\\' in the URL."},
    [FAIL_REQUEST_HOST] =
        {"request-host", 400, "http_request_error", BLAME_CALLER, 0, "Bad Host",
         "The request has no Host field, several Host fields, or one that is not a host name.",
         "Send exactly one Host field (RFC 9112, section 3.2)."},
    [FAIL_REQUEST_VERSION] = {"request-version", 400, "http_request_error", BLAME_CALLER, 0,
                              "HTTP version not served",
                              "The request's HTTP version is neither 1.0 nor 1.1.",
                              "Use HTTP/1.1 in the client."},
    [FAIL_REQUEST_BODY] = {"request-body", 400, "http_request_error", BLAME_CALLER, 0,
                           "Malformed request body",
                           "The request's chunked body is not well-formed.",
                           "Correct the client's chunked coding (RFC 9112 section 7.1)."},
    [FAIL_REQUEST_TIMEOUT] =
        {"request-timeout", 408, "http_request_error", BLAME_CALLER, 0, "Request timeout",
         "The request did not arrive in time.",
         "Send faster, or raise head-timeout or body-timeout in the configuration."},
    [FAIL_TARGET_TOO_LONG] =
        {"target-too-long", 414, "http_request_error", BLAME_CALLER, 0, "URI too long",
         "The request target is longer than max-target allows.",
         "Shorten the URL (use $batch for long OData queries), or raise max-target."},
    [FAIL_HEAD_TOO_LARGE] =
        {"head-too-large", 431, "http_request_error", BLAME_CALLER, 0,
         "Request header fields too large",
         "The request's head is larger than max-head, or has more fields than max-fields allows.",
         "Send fewer or shorter header fields (cookies often grow), or raise max-head or "
         "max-fields."},
    [FAIL_EXPECTATION] = {"expectation-unknown", 417, "http_request_error", BLAME_CALLER, 0,
                          "Expectation failed",
                          "The request's Expect field asks for something other than 100-continue.",
                          "Remove the Expect field."},
    [FAIL_METHOD_NOT_ALLOWED] =
        {"method-not-allowed", 405, "http_request_denied", BLAME_CALLER, 0, "Method not allowed",
         "TRACE is refused, because it would show the caller what the proxy adds.",
         "Use GET or HEAD to see what the server answers."},
    [FAIL_METHOD_UNKNOWN] = {"method-unknown", 501, "http_request_error", BLAME_CALLER, 0,
                             "Method not implemented", "sfmtls does not know the request's method.",
                             "Use a registered method in capital letters, such as GET or POST."},
    [FAIL_CONNECT_NOT_SERVED] =
        {"connect-not-served", 501, "http_request_denied", BLAME_CALLER, 0, "CONNECT not served",
         "CONNECT asks for a tunnel, and sfmtls cannot add a client certificate inside a tunnel.",
         "Make a local CA with `sfmtls ca init`, restart sfmtls and let the caller trust the CA. "
         "Or call http://localhost:PORT/..., or set http_proxy and use http:// URLs."},
    [FAIL_CONNECT_NOT_ALLOWED] = {"connect-not-allowed", 403, "http_request_denied", BLAME_CALLER,
                                  0, "CONNECT not allowed",
                                  "The target of the CONNECT is not a configured server.",
                                  "Exempt the target from the proxy (no_proxy), or list it with "
                                  "connect-other = tunnel and connect-allow."},
    [FAIL_CONNECT_ADDRESS] =
        {"connect-address-not-allowed", 403, "destination_ip_prohibited", BLAME_CONFIGURATION, 0,
         "CONNECT to a private address",
         "The target's name resolves to an address of this machine or of a private network.",
         "Use the address itself in the request and list it: connect-allow = ADDRESS:PORT. Or "
         "exempt the target from the proxy (no_proxy)."},
    [FAIL_LOCAL_CA] = {"local-ca-unfit", 502, "proxy_configuration_error", BLAME_CONFIGURATION, 0,
                       "Local CA unfit", "The local CA cannot sign for the server.",
                       "Make a new CA with `sfmtls ca init --replace`, and let callers trust it."},
    [FAIL_WEBSOCKET_NOT_SERVED] =
        {"websocket-not-served", 501, "http_request_denied", BLAME_CALLER, 0,
         "WebSocket not served", "The request asks for a WebSocket, which sfmtls does not support.",
         "Use plain HTTP requests."},
    [FAIL_ADMIN_PATH] = {"admin-path", 404, "http_request_denied", BLAME_CALLER, 0, "Nothing there",
                         "The admin listener has nothing at that path.",
                         "Use one of /, /live, /startup, /ready, /health, /status, /metrics. API "
                         "calls go to a `listen` address."},
    [FAIL_ADMIN_METHOD] = {"admin-method", 405, "http_request_denied", BLAME_CALLER, 0,
                           "Method not allowed", "This path of the admin listener is read-only.",
                           "Use GET or HEAD. Only /quit and /reload take a POST."},
    [FAIL_ADMIN_POST] = {"admin-post-only", 405, "http_request_denied", BLAME_CALLER, 0,
                         "Method not allowed", "The path is an action, and a GET does nothing.",
                         "Use POST, or `sfmtls quit` and `sfmtls reload`."},
    [FAIL_ADMIN_ACTION] =
        {"admin-action-refused", 403, "http_request_denied", BLAME_CALLER, 0, "Action refused",
         "The admin listener takes no orders here.",
         "Set admin-actions = yes in [proxy], and do not ask from a web page. Or send SIGHUP to "
         "reload the configuration and SIGTERM to end sfmtls."},
    [FAIL_ADMIN_TOKEN] = {"admin-token-missing", 401, "http_request_denied", BLAME_CALLER, 0,
                          "Admin token missing", "The request has no token for the admin listener.",
                          "Send Authorization: Bearer TOKEN with a token from admin-token-file, or "
                          "from caller-token-file if there is no admin-token-file."},

    [FAIL_CALLER_UID] = {"caller-uid", 403, "http_request_denied", BLAME_CALLER, 0,
                         "User not allowed", "The caller's user may not connect.",
                         "Call as the user that sfmtls runs as, or list the caller in allow-uid, "
                         "together with all other users that should call."},
    [FAIL_HOST_NOT_SERVED] = {"host-not-served", 421, "http_request_denied", BLAME_CALLER, 0,
                              "Misdirected request",
                              "The request's Host is not a name of this proxy.",
                              "Call the proxy as localhost or 127.0.0.1, or by the name of a "
                              "configured server. Add further names of the proxy to host-names."},
    [FAIL_FOREIGN_ORIGIN] =
        {"foreign-origin", 403, "http_request_denied", BLAME_CALLER, 0, "Web page refused",
         "A web page of another origin made the request.",
         "Call from a program instead of a web page, because a page could read your employees' "
         "data. To permit a page of your own, list its origin in allow-origin."},
    [FAIL_FORWARDED] =
        {"forwarded-request", 403, "http_request_denied", BLAME_CALLER, 0, "Forwarded request",
         "Another proxy forwarded the request, so its caller may be on another machine.",
         "Call without that proxy, or remove Forwarded, X-Forwarded-* and X-Real-IP there. "
         "allow-forwarded = yes accepts all callers of that proxy."},
    [FAIL_CALLER_TOKEN] = {"caller-token-missing", 401, "http_request_denied", BLAME_CALLER, 0,
                           "Caller token missing",
                           "The request has no token from the proxy's caller-token-file.",
                           "Send X-Sfmtls-Token: TOKEN. The operator of the proxy has the tokens."},
    [FAIL_PROXY_TOKEN] = {"proxy-token-missing", 407, "http_request_denied", BLAME_CALLER, 0,
                          "Caller token missing",
                          "The request has no token from the proxy's caller-token-file.",
                          "Send Proxy-Authorization: Bearer TOKEN (not Basic). The operator of the "
                          "proxy has the tokens."},
    [FAIL_TENANT_UNKNOWN] = {"tenant-unknown", 403, "http_request_denied", BLAME_CALLER, 0,
                             "No such tenant", "No configured tenant fits the request.",
                             "Name a configured company ID and server (company IDs are "
                             "case-sensitive), or add a tenant."},
    [FAIL_TENANT_AMBIGUOUS] =
        {"tenant-ambiguous", 401, "http_request_denied", BLAME_CALLER, 0, "Which tenant?",
         "Several tenants are configured, and the request selects none of them.",
         "Send successfactors-companyid, or Basic credentials user@COMPANY. If tenants share a "
         "company, call the server's URL through http_proxy, or call the tenant's own listener."},
    [FAIL_COMPANY_REPEATED] = {"company-repeated", 403, "http_request_denied", BLAME_CALLER, 0,
                               "Company ID repeated",
                               "The request has more than one successfactors-companyid field.",
                               "Send it once or not at all, because the proxy adds it."},
    [FAIL_CALLER_UNKNOWN] =
        {"caller-unknown", 401, "http_request_denied", BLAME_CALLER, 0, "Caller not known",
         "The request has no Basic credentials from this tenant's callers-file.",
         "Send a user and password from the tenant's callers-file. `htpasswd -B` sets a new "
         "password."},
    [FAIL_PATH_AMBIGUOUS] = {"path-ambiguous", 400, "http_request_error", BLAME_CALLER, 0,
                             "Ambiguous path",
                             "The path can be read in more than one way, so the tenant's `allow` "
                             "rules cannot judge it.",
                             "Write the path in UTF-8. Avoid segments that are empty or consist of "
                             "blanks or dots, the character ';', percent-encoded . / \\ ; ? or #, "
                             "and double encoding. Leave out fields such as X-Original-URL."},
    [FAIL_NOT_ALLOWED] = {"not-allowed-by-rule", 403, "http_request_denied", BLAME_CONFIGURATION, 0,
                          "Not allowed by a rule",
                          "No `allow` rule of the tenant covers the request.",
                          "Send requests that the rules cover, or add a rule to the tenant's "
                          "section: allow = METHOD PATH."},

    [FAIL_TOO_MANY_CALLERS] = {"too-many-connections", 503, "connection_limit_reached", BLAME_PROXY,
                               5, "Too many connections",
                               "The proxy already serves max-connections callers.",
                               "Close idle connections, or raise max-connections."},
    [FAIL_CALLER_SHARE] = {"too-many-connections-of-caller", 503, "connection_limit_reached",
                           BLAME_CALLER, 5, "Too many connections of this caller",
                           "The caller already has max-connections-per-caller connections.",
                           "Close idle connections, or raise max-connections-per-caller."},
    [FAIL_SHORTAGE] = {"out-of-resources", 503, "connection_limit_reached", BLAME_PROXY, 5,
                       "Out of descriptors or ports",
                       "The proxy's machine could not open another connection.",
                       "Raise the limit of open files (ulimit -n, LimitNOFILE=), or lower "
                       "max-connections."},
    [FAIL_QUEUE_FULL] = {"queue-full", 503, "connection_limit_reached", BLAME_SERVER, 5,
                         "Queue full",
                         "All connections to the server are busy and the queue is full.",
                         "Send fewer requests at once, or raise max-upstream or queue."},
    [FAIL_QUEUE_TIMEOUT] = {"queue-timeout", 503, "connection_limit_reached", BLAME_SERVER, 5,
                            "Queue timeout", "No connection to the server became free in time.",
                            "Send fewer requests at once, or raise max-upstream, rate or "
                            "queue-timeout."},
    [FAIL_SERVER_ASKED_TO_WAIT] =
        {"server-asked-to-wait", 503, "destination_unavailable", BLAME_SERVER, 5,
         "Server asked to wait",
         "The server has answered 429 or 503 with Retry-After and wants no request yet.",
         "Repeat the call after the seconds that Retry-After says. If that happens often, send "
         "fewer requests, or set `rate` for the path. respect-retry-after = off sends on."},
    [FAIL_CHECKS_FULL] = {"checks-full", 503, "connection_limit_reached", BLAME_PROXY, 5,
                          "Too many passwords",
                          "Too many different credentials wait to be checked.",
                          "Repeat the call in some seconds. Find out who calls with wrong "
                          "passwords, or hash the passwords at a lower cost."},

    [FAIL_NAME_NOT_FOUND] =
        {"name-not-found", 502, "dns_error", BLAME_CONFIGURATION, 0, "Server name not found",
         "The server's name does not exist.",
         "Check `server` in the configuration (`sfmtls hosts` lists the known ones)."},
    [FAIL_NAME_LOOKUP] = {"name-lookup-failed", 502, "dns_error", BLAME_NETWORK, 0,
                          "Name lookup failed", "The server's name could not be looked up.",
                          "Check that this machine is online and that its DNS server answers."},
    [FAIL_NAME_TIMEOUT] = {"name-timeout", 504, "dns_timeout", BLAME_NETWORK, 0,
                           "Name lookup timed out", "The server's name was not resolved in time.",
                           "Check that this machine is online and that its DNS server answers."},
    [FAIL_CONNECT_REFUSED] =
        {"connection-refused", 502, "connection_refused", BLAME_NETWORK, 0, "Connection refused",
         "The server refused the connection.",
         "Check `server` and its port, and that no firewall blocks the connection."},
    [FAIL_CONNECT_UNREACHABLE] = {"host-unreachable", 502, "destination_ip_unroutable",
                                  BLAME_NETWORK, 0, "Server unreachable",
                                  "The network has no route to the server.",
                                  "Check the network, the VPN and the firewall of this machine."},
    [FAIL_CONNECT_TIMEOUT] =
        {"connect-timeout", 504, "connection_timeout", BLAME_NETWORK, 0, "Connection timed out",
         "The server did not accept the connection in time.",
         "Check that a firewall lets this machine reach the server, or raise connect-timeout."},

    [FAIL_PARENT_NAME] = {"parent-proxy-name-failed", 502, "dns_error", BLAME_CONFIGURATION, 0,
                          "Parent proxy's name not found",
                          "The name of the parent proxy could not be looked up.",
                          "Check the host of `parent-proxy`, and that this machine is in the "
                          "company's network (VPN)."},
    [FAIL_PARENT_REFUSED] = {"parent-proxy-refused", 502, "connection_refused", BLAME_NETWORK, 0,
                             "Parent proxy refused the connection",
                             "The parent proxy refused the connection.",
                             "Check host and port of `parent-proxy`, and that the proxy runs."},
    [FAIL_PARENT_UNREACHABLE] = {"parent-proxy-unreachable", 502, "destination_ip_unroutable",
                                 BLAME_NETWORK, 0, "Parent proxy unreachable",
                                 "The network has no route to the parent proxy.",
                                 "Check the network, the VPN and the firewall of this machine."},
    [FAIL_PARENT_TIMEOUT] =
        {"parent-proxy-timeout", 504, "connection_timeout", BLAME_NETWORK, 0,
         "Parent proxy timed out", "The parent proxy made no connection in time.",
         "Check that the parent proxy runs and can be reached from here, or raise "
         "connect-timeout."},
    [FAIL_PARENT_CLOSED] =
        {"parent-proxy-closed", 502, "connection_terminated", BLAME_NETWORK, 0,
         "Parent proxy closed the connection",
         "The parent proxy closed the connection before it had answered CONNECT.",
         "Check that `parent-proxy` names the port of an HTTP proxy, and read the log of that "
         "proxy."},
    [FAIL_PARENT_MALFORMED] =
        {"parent-proxy-bad-answer", 502, "http_protocol_error", BLAME_NETWORK, 0,
         "Bad answer from the parent proxy", "The parent proxy's answer is not well-formed HTTP.",
         "Check that `parent-proxy` names the port of an HTTP proxy, to which one speaks without "
         "TLS."},
    [FAIL_PARENT_TOO_LARGE] =
        {"parent-proxy-head-too-large", 502, "http_response_header_section_size", BLAME_NETWORK, 0,
         "Head of the parent proxy's answer too large",
         "The head of the parent proxy's answer is larger than max-head, or has more fields than "
         "max-fields allows.",
         "Check that `parent-proxy` names an HTTP proxy, or raise max-head or max-fields."},
    [FAIL_PARENT_ASKS] =
        {"parent-proxy-auth-required", 502, "proxy_configuration_error", BLAME_CONFIGURATION, 0,
         "Parent proxy asks for authentication",
         "The parent proxy asks who sfmtls is, and nothing that is configured is an answer.",
         "Set parent-proxy-user and parent-proxy-password-file, or provide a Kerberos ticket. "
         "Basic is used only with parent-proxy-auth = basic."},
    [FAIL_PARENT_AUTH] =
        {"parent-proxy-auth-failed", 502, "proxy_configuration_error", BLAME_CONFIGURATION, 0,
         "Parent proxy refused the user", "The parent proxy refused the user.",
         "Check parent-proxy-user and the file of parent-proxy-password-file, or the user of the "
         "Kerberos ticket (klist), and that this user may use the proxy."},
    [FAIL_PARENT_TICKET] =
        {"parent-proxy-no-ticket", 502, "proxy_configuration_error", BLAME_CONFIGURATION, 0,
         "No Kerberos ticket for the parent proxy",
         "There is no Kerberos ticket with which sfmtls could say to the parent proxy who it is.",
         "Get one with kinit for the user that sfmtls runs as, into the place that "
         "parent-proxy-ccache names, or set parent-proxy-keytab. Check that the KDC can be "
         "reached."},
    [FAIL_PARENT_BUSY] = {"parent-proxy-auth-busy", 503, "connection_limit_reached", BLAME_PROXY, 5,
                          "Too many authentications",
                          "Too many connections wait for Kerberos or NTLM.",
                          "Repeat the call in some seconds. Check that the KDC answers."},
    [FAIL_PARENT_FORBADE] =
        {"parent-proxy-forbade", 502, "http_request_denied", BLAME_NETWORK, 0,
         "Parent proxy forbids the server", "The parent proxy does not permit to reach the server.",
         "Let your network's administrators permit CONNECT to the server, for this machine or the "
         "user of parent-proxy-user."},
    [FAIL_PARENT_SERVER] =
        {"parent-proxy-cannot-connect", 502, "destination_unavailable", BLAME_NETWORK, 0,
         "Parent proxy cannot reach the server", "The parent proxy could not reach the server.",
         "Check `server`, or `connect-to`, and that the parent proxy can resolve and reach it."},
    [FAIL_PARENT_SERVER_TIMEOUT] =
        {"parent-proxy-connect-timeout", 504, "connection_timeout", BLAME_NETWORK, 0,
         "Parent proxy did not reach the server in time",
         "The parent proxy did not reach the server in time.",
         "Check `server`, or `connect-to`, and that the parent proxy's firewall permits it."},
    [FAIL_PARENT_STATUS] =
        {"parent-proxy-status", 502, "http_protocol_error", BLAME_NETWORK, 0,
         "Unexpected answer of the parent proxy",
         "The parent proxy answered CONNECT with neither a tunnel nor a reason that sfmtls knows.",
         "Check that `parent-proxy` names an HTTP proxy that permits CONNECT, and read its log."},

    [FAIL_HANDSHAKE_TIMEOUT] =
        {"handshake-timeout", 504, "connection_timeout", BLAME_NETWORK, 0,
         "TLS handshake timed out", "The TLS handshake did not finish in time.",
         "Check that nothing between here and the server delays TLS, or raise handshake-timeout."},
    [FAIL_TLS] = {"tls-failed", 502, "tls_protocol_error", BLAME_SERVER, 0, "TLS failed",
                  "The TLS handshake with the server failed.",
                  "Check that `server` names a TLS port. The detail has OpenSSL's reason."},
    [FAIL_SERVER_UNTRUSTED] = {"server-certificate-untrusted", 502, "tls_certificate_error",
                               BLAME_CONFIGURATION, 0, "Server certificate not trusted",
                               "The server's certificate does not chain to a trusted root.",
                               "If your network inspects TLS, exempt the server from it; for a "
                               "private CA set `ca-file`."},
    [FAIL_SERVER_EXPIRED] =
        {"server-certificate-expired", 502, "tls_certificate_error", BLAME_SERVER, 0,
         "Server certificate not valid now",
         "The server's certificate, or one above it, is not valid at this time.",
         "Check this machine's clock; if it is right, the server's operator must renew."},
    [FAIL_SERVER_WRONG_HOST] =
        {"server-certificate-wrong-host", 502, "tls_certificate_error", BLAME_CONFIGURATION, 0,
         "Server certificate for another host",
         "The server's certificate is not valid for the name that sfmtls called.",
         "Check `server` in the configuration, and that DNS leads to the right machine."},
    [FAIL_SERVER_REVOKED] =
        {"server-certificate-revoked", 502, "tls_certificate_error", BLAME_SERVER, 0,
         "Server certificate revoked", "The server's certificate was revoked by its CA.",
         "Do not call the server until its operator has installed another certificate; if that has "
         "happened, check that `server` leads to the right machine."},
    [FAIL_SERVER_CRL] =
        {"revocation-list-unusable", 502, "tls_certificate_error", BLAME_CONFIGURATION, 0,
         "Revocation list cannot be used",
         "The revocation list (CRL) that decides about the server's certificate cannot be used.",
         "Put the current CRL of the server's CA into the file that `crl-file` (or `ca-file`) "
         "names, "
         "and check this machine's clock."},
    [FAIL_CERTIFICATE_REFUSED] =
        {"client-certificate-refused", 502, "tls_alert_received", BLAME_CONFIGURATION, 0,
         "Client certificate refused", "The server refused the client certificate.",
         "Check that it has not expired, that its whole chain is in the file, that the server "
         "accepts its CA, and that it is mapped to this company (Security Center). A new mapping "
         "can need hours to work."},
    [FAIL_CERTIFICATE_NOT_REQUESTED] =
        {"client-certificate-not-requested", 502, "tls_protocol_error", BLAME_CONFIGURATION, 0,
         "Client certificate not requested", "The server never asked for the client certificate.",
         "Check that `server` names the certificate host (*.cert.*). If it does, something between "
         "here and the server inspects TLS and must exempt the server."},
    [FAIL_CERTIFICATE_EXPIRED] =
        {"client-certificate-expired", 502, "proxy_configuration_error", BLAME_CONFIGURATION, 0,
         "Client certificate expired",
         "The tenant's client certificate has expired and is no longer presented.",
         "Renew the certificate and put it into the file that `certificate` names."},
    [FAIL_CERTIFICATE_NOT_YET_VALID] =
        {"client-certificate-not-yet-valid", 502, "proxy_configuration_error", BLAME_CONFIGURATION,
         0, "Client certificate not yet valid", "The tenant's client certificate is not valid yet.",
         "Check this machine's clock, or wait until the certificate becomes valid."},
    [FAIL_CERTIFICATE_NOT_FETCHED] =
        {"certificate-not-fetched", 502, "proxy_configuration_error", BLAME_CONFIGURATION, 10,
         "Client certificate not fetched",
         "The tenant's client certificate has not been fetched from BTP yet.",
         "Repeat the call in a moment. If it lasts, the log and `sfmtls status` say why it cannot "
         "be "
         "fetched."},

    [FAIL_UPSTREAM_CLOSED] =
        {"upstream-closed", 502, "connection_terminated", BLAME_SERVER, 0,
         "Server closed the connection", "The server closed the connection before it answered.",
         "Check whether the call took effect before you repeat it. You can repeat a GET at once."},
    [FAIL_SERVER_VANISHED] =
        {"server-vanished", 504, "connection_read_timeout", BLAME_SERVER, 0, "Server is gone",
         "The server was connected, but no longer acknowledges anything: it, its address or the "
         "network path is gone.",
         "Check this machine's network (VPN, Wi-Fi, cable). Check whether the call took effect "
         "before you repeat it. dead-peer-timeout sets how long sfmtls waits."},
    [FAIL_ANSWER_TIMEOUT] =
        {"answer-timeout", 504, "http_response_timeout", BLAME_SERVER, 0, "No answer in time",
         "The server did not answer in time.",
         "Ask for less (smaller pages, fewer fields), or raise answer-timeout."},
    [FAIL_ANSWER_MALFORMED] = {"bad-answer", 502, "http_protocol_error", BLAME_SERVER, 0,
                               "Bad answer from the server",
                               "The server's answer is not well-formed HTTP/1.1.",
                               "Check that `server` names an HTTPS API server. If it does, report "
                               "the answer to its operator."},
    [FAIL_ANSWER_TOO_LARGE] = {"answer-head-too-large", 502, "http_response_header_section_size",
                               BLAME_SERVER, 0, "Answer's head too large",
                               "The head of the server's answer is larger than max-head, or has "
                               "more fields than max-fields "
                               "allows.",
                               "Raise max-head or max-fields."},
    [FAIL_ANSWER_UPGRADE] = {"unexpected-upgrade", 502, "http_upgrade_failed", BLAME_SERVER, 0,
                             "Unexpected upgrade",
                             "The server switched protocols without a request to do so.",
                             "Report it to the server's operator."},
    [FAIL_ANSWER_TRUNCATED] =
        {"answer-truncated", 0, "http_response_incomplete", BLAME_SERVER, 0, "Answer truncated",
         "The server's answer ended before it was complete.",
         "Repeat the call if it is safe to; do not use the part that arrived."},

    [FAIL_CALLER_GONE] = {"caller-gone", 0, "", BLAME_CALLER, 0, "Caller gone",
                          "The caller closed the connection before the exchange was complete.",
                          "Raise the client's own timeout if it gave up waiting."},
    [FAIL_SHUTDOWN] = {"cut-off-at-shutdown", 0, "", BLAME_PROXY, 0, "Cut off at shutdown",
                       "The proxy was stopped before the exchange was complete.",
                       "Repeat the call if it is safe to; raise drain-timeout."},
    [FAIL_CALLER_STALLED] =
        {"caller-stalled", 0, "", BLAME_CALLER, 0, "Caller stalled",
         "The caller did not read the answer in time.",
         "Let the client read the answer while it arrives, or raise body-timeout."},
    [FAIL_CALLER_TLS] =
        {"caller-tls-failed", 0, "tls_protocol_error", BLAME_CALLER, 0,
         "TLS with the caller failed",
         "The caller did not complete the TLS handshake inside its CONNECT.",
         "Let the caller trust the root of the local CA; `sfmtls ca show` explains how."},
    [FAIL_TUNNEL_IDLE] = {"tunnel-idle", 0, "connection_timeout", BLAME_CALLER, 0, "Tunnel idle",
                          "No bytes passed through the tunnel for answer-timeout.",
                          "Connect again, or raise answer-timeout."},

    [FAIL_INTERNAL] = {"internal-error", 500, "proxy_internal_error", BLAME_PROXY, 0,
                       "Internal error", "The proxy failed.",
                       "Report to its developers what you did. The log may have details."},
};

const struct fail_info *fail_info(enum fail id)
{
    assert(id < FAIL_COUNT && table[id].token != NULL);
    return &table[id];
}

const char *fail_blame_text(enum blame who)
{
    static const char *const names[] = {
        [BLAME_NOBODY] = "nobody",
        [BLAME_CALLER] = "caller",
        [BLAME_CONFIGURATION] = "configuration",
        [BLAME_NETWORK] = "network",
        [BLAME_SERVER] = "server",
        [BLAME_PROXY] = "proxy",
    };

    return names[who];
}

void failure_set(struct failure *f, enum fail id, const char *format, ...)
{
    va_list args;

    f->id = id;
    f->code = f->cure = NULL;
    f->retry_after = 0;
    va_start(args, format);
    diag_vset(&f->detail, format, args);
    va_end(args);
}

void failure_plain(struct failure *f, enum fail id)
{
    failure_set(f, id, "%s", fail_info(id)->detail);
}

void failure_refine(struct failure *f, const char *code, const char *cure)
{
    f->code = code;
    f->cure = cure;
}

void failure_wait(struct failure *f, int seconds)
{
    f->retry_after = seconds;
}

int failure_retry_after(const struct failure *f)
{
    return f->retry_after > 0 ? f->retry_after : fail_info(f->id)->retry_after;
}

const char *failure_code(const struct failure *f)
{
    return f->code != NULL ? f->code : fail_info(f->id)->token;
}

const char *failure_cure(const struct failure *f)
{
    return f->cure != NULL ? f->cure : fail_info(f->id)->cure;
}
