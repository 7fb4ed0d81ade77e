/*
 * option_parent: the rows of the parent proxy for the table in option.c. Both
 * sections have them. AT(member) gives the section and the offset of a member.
 */
#ifndef CONFIG_OPTION_PARENT_H
#define CONFIG_OPTION_PARENT_H

#define PARENT_ROWS(AT, whose)                                                                     \
    ROW("parent-proxy", AT(parent_options.proxy), .set = option_set_parent_proxy,                  \
        .example = "http://proxy.example.com:3128", .type = "http://HOST:PORT, system or none",    \
        .help = whose " system takes it from the environment as curl does: from https_proxy, "     \
                      "HTTPS_PROXY, all_proxy or ALL_PROXY, unless no_proxy or NO_PROXY names "    \
                      "the server. TLS and the checks of the server's certificate stay the "       \
                      "same."),                                                                    \
        ROW("parent-proxy-user", AT(parent_options.user), .set = option_set_text,                  \
            .example = "CORP\\sfmtls", .type = "name",                                             \
            .help = "The user for the parent proxy that the same section names, for Basic, "       \
                    "Digest and NTLM (DOMAIN\\USER)."),                                            \
        ROW("parent-proxy-password-file", AT(parent_options.password_file),                        \
            .set = option_set_path, .file = OPTION_READS, .example = "proxy.pass", .type = "file", \
            .help = "A file with the password of that user."),                                     \
        ROW("parent-proxy-auth", AT(parent_options.auth), .set = option_set_choice,                \
            .choices = "auto|basic|digest|negotiate|ntlm", .fallback = "auto",                     \
            .type = "auto, basic, digest, negotiate or ntlm",                                      \
            .help = "How sfmtls says to the parent proxy who it is. auto takes the strongest way " \
                    "that the parent proxy offers and that is possible: Negotiate (Kerberos) "     \
                    "with a ticket, NTLM and Digest with a user. Basic sends the password in the " \
                    "clear, so it is used only if it is named here."),                             \
        ROW("parent-proxy-ccache", AT(parent_options.ccache), .set = option_set_ccache,            \
            .example = "/run/sfmtls/krb5cc", .type = "FILE:/PATH, DIR:/PATH or KCM:",              \
            .help = "Where the Kerberos tickets are. The default is KRB5CCNAME, else "             \
                    "FILE:/tmp/krb5cc_UID. Tickets that come or are renewed later are used."),     \
        ROW("parent-proxy-keytab", AT(parent_options.keytab), .set = option_set_path,              \
            .file = OPTION_READS, .example = "sfmtls.keytab", .type = "file",                      \
            .help = "A keytab, with which sfmtls fetches Kerberos tickets itself, instead of "     \
                    "parent-proxy-ccache.")

#endif
