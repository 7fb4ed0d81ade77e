#!/bin/sh
# Collects in a folder what a program needs in order to run, and nothing else: the libraries it is linked with, the
# certificates of the public CAs, a user. What that is, it lists as SPDX in /usr/share/sbom.
#
#   sh rootfs.sh PROGRAM FOLDER
set -eu
program=$1 root=$2
mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/etc/ssl/certs" "$root/usr/share/sbom" "$root/tmp"
chmod 1777 "$root/tmp"
for name in bin lib lib64; do
    ln -s "usr/$name" "$root/$name"
done

used=
put() { # FILE...: with the folders before it
    for file; do
        mkdir -p "$root${file%/*}"
        cp -L "$file" "$root$file"
        used="$used $file"
    done
}

install -s "$program" "$root/usr/bin/sfmtls"
# Old PKCS#12 files need the provider `legacy`, which OpenSSL loads by itself.
modules=$(find /usr/lib -path '*/ossl-modules/legacy.so')
# What the program loads by itself: Kerberos, and what it asks BTP with.
for name in libgssapi_krb5.so.2 libcurl.so.4; do
    file=$(ldconfig -p | sed -n "s/^[[:space:]]*$name .* => //p" | head -n 1)
    [ -n "$file" ] || { echo "rootfs: $name is not on this machine" >&2; exit 1; }
    modules="$modules $file"
done
# ldd names each file that it looks at, with a colon behind it, and what that needs.
put $(ldd "$program" $modules | grep -o '/[^ :]*\.so[^ :]*' | sort -u)
put /etc/ssl/certs/ca-certificates.crt /etc/ssl/openssl.cnf
ln -s certs/ca-certificates.crt "$root/etc/ssl/cert.pem"
mkdir -p "$root/usr/lib/ssl" && ln -s /etc/ssl/openssl.cnf /etc/ssl/certs /etc/ssl/cert.pem "$root/usr/lib/ssl"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'sfmtls:x:10001:10001:sfmtls:/:/none' >"$root/etc/passwd"
echo 'sfmtls:x:10001:' >"$root/etc/group"

# The packages that they are of.
packages=$(for file in $used; do
    dpkg -S "$(realpath "$file")" 2>/dev/null || dpkg -S "$file" 2>/dev/null || dpkg -S "/usr$file" 2>/dev/null || :
done | sed 's/: .*//' | tr -d ' ' | sort -u)
{
    printf '{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"sfmtls-image",'
    printf '"documentNamespace":"urn:sfmtls:image:%s",' "$("$program" version | sed -n 's/^sfmtls //p')"
    printf '"creationInfo":{"created":"%s","creators":["Tool: docker/rootfs.sh"]},"packages":[' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    printf '{"SPDXID":"SPDXRef-sfmtls","name":"sfmtls","versionInfo":"%s","licenseDeclared":"MIT",' \
        "$("$program" version | sed -n 's/^sfmtls //p')"
    printf '"downloadLocation":"NOASSERTION","filesAnalyzed":false}'
    for package in $packages ca-certificates; do
        dpkg-query -W -f ',\n{"SPDXID":"SPDXRef-${Package}","name":"${Package}","versionInfo":"${Version}","downloadLocation":"NOASSERTION","filesAnalyzed":false,"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/${Package}@${Version}?arch=${Architecture}"}]}' "$package"
    done
    printf ']}\n'
} >"$root/usr/share/sbom/sfmtls.spdx.json"
# What the licenses of the packages ask for.
for package in $packages ca-certificates; do
    name=${package%%:*}
    [ ! -e "/usr/share/doc/$name/copyright" ] || put "/usr/share/doc/$name/copyright"
done
mkdir -p "$root/usr/share/doc/sfmtls" && cp LICENSE "$root/usr/share/doc/sfmtls/copyright"
