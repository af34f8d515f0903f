# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What is denied, and what our policy allows, as lines "DOMAIN TYPE CLASS PERMISSION"; loaded after guest/lib.bash.

# Of the domains that our policy is for. cockpit's message of the day is denied to every session, also without us.
denials() {
    sed -nE 's/.*avc: +denied +\{ ([^}]*) \} .*scontext=[^:]*:[^:]*:([^:]*):.* tcontext=[^:]*:[^:]*:([^:]*):.* tclass=([^ ]*).*/\2 \3 \4 \1/p' \
        /var/log/audit/audit.log |
        awk '$2 != "cockpit_runtime_t" { for (i = 4; i <= NF; i++) print $1, $2, $3, $i }' |
        grep -E '^(sshd|crond|local_login|systemd_logind|initrc|init)_t ' | sort -u
}

allowed() {
    sed -nE 's/^\(allow ([^ ]+) ([^ ]+) \(([^ ]+) \(([^)]*)\)\)\)$/\1 \2 \3 \4/p' "$TOP/selinux/pam_unshare.cil" |
        awk -v applications="$(sed -nE 's/^\(typeattributeset pam_unshare_application \(([^)]*)\)\)$/\1/p' "$TOP/selinux/pam_unshare.cil")" '
            {
                n = split($1 == "pam_unshare_application" ? applications : $1, domain, " ")
                for (d = 1; d <= n; d++)
                    for (i = 4; i <= NF; i++) print domain[d], $2 == "self" ? domain[d] : $2, $3, $i
            }' | sort -u
}
