#!/bin/sh
# getent of glibc 2.36 answers for a directory that is away as for one that is empty: what lists all
# groups, and what lists those of an account, ends with 0.
#
# libnss-ldapd 0.9.12 asks nslcd, a daemon of its own. If that does not run, `getent group` prints
# the groups of /etc/group alone and ends with 0; `getent -s ldap group` prints nothing and ends with
# 0; `getent initgroups root` prints the name without a group, and ends with 0. Only who is asked for
# by name is missing, with 2, which is "not found" and not "not reached". A name service that cannot
# be loaded at all is answered for in the same way.
#
# Who copies groups by it, for access or for chargeback, should keep what was known when much of it
# vanishes at once. Needs apt-get (Debian 12); fetches 70 kB; no root.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"

apt-get --quiet=2 download libnss-ldapd:amd64=0.9.12-4
dpkg-deb --extract ./*.deb .
LD_LIBRARY_PATH=$folder/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH
[ -e "$LD_LIBRARY_PATH/libnss_ldap.so.2" ] || { echo "the package has another form" >&2; exit 1; }
[ ! -e /run/nslcd/socket ] || { echo "nslcd runs here: this needs a directory that is away" >&2; exit 2; }
getent --version | head -n 1

# Looks for exit code $1 and output $2 of `getent` with the words that follow.
seen() {
    code=0 text=
    text=$(shift 2; getent "$@") || code=$?
    echo "getent $3 $4 ${5:-} ${6:-}: \"$text\", exit code $code"
    [ "$code" = "$1" ] && [ "$text" = "$2" ] || { echo "this has changed" >&2; exit 1; }
}

for service in ldap no_such_service; do
    seen 0 "" -s $service group
    seen 0 "root                 " -s $service initgroups root
    seen 2 "" -s $service group root
    seen 2 "" -s $service passwd root
done
[ "$(getent -s "files ldap" group)" = "$(getent -s files group)" ]
echo "files and ldap together list what files list"
