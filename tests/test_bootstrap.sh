#!/bin/bash
# scripts/bootstrap: silent where nothing is missing, never the headers of another V8, and one clear sentence where it
# cannot go on.  The machines it cannot go on with are made of programs that stand before the real ones on the PATH.
status=0
result() { # NAME STATUS
    if (($2 == 0)); then echo "ok $1"; else
        echo "not ok $1"
        status=1
    fi
}

before=$(cat .deps/config.mk)
said=$(scripts/bootstrap 2>&1)
result 'a second run succeeds' $?
[[ -z $said && $(cat .deps/config.mk) = "$before" ]]
result 'a second run says and changes nothing' $?

include=$(sed -n 's/^NODE_CFLAGS *:= -isystem //p' .deps/config.mk)
[[ $include = .deps/* || $(dpkg-query -S "$include/v8.h" 2>/dev/null) = libnode-dev:* ]]
result 'the headers of V8 are those of libnode-dev' $?

mkdir -p "$TMPDIR/tree/scripts" "$TMPDIR/fake"
cp scripts/bootstrap "$TMPDIR/tree/scripts/"
fake() { # NAME SCRIPT
    printf '#!/bin/sh\n%s\n' "$2" >"$TMPDIR/fake/$1"
    chmod +x "$TMPDIR/fake/$1"
}
fake dpkg 'echo "$FAKE_ARCH"'
fake dpkg-query 'exit 1'
fake apt-cache ':'
fake apt-get 'case "$*" in *update*) exit 0 ;; esac; echo "$FAKE_APT" >&2; exit 100'
fake id 'echo "$FAKE_UID"'
fake sudo 'exit 1'

refused() { # NAME PATTERN: it fails, and its last line is the sentence
    said=$(cd "$TMPDIR" && PATH=$TMPDIR/fake:$PATH tree/scripts/bootstrap 2>&1 </dev/null)
    local rc=$?
    if ((rc != 0)) && tail -n 1 <<<"$said" | grep -qE "^bootstrap: .*$2"; then result "$1" 0; else
        echo "$said"
        result "$1" 1
    fi
}
export FAKE_ARCH FAKE_UID FAKE_APT
FAKE_ARCH=riscv64 FAKE_UID=0 FAKE_APT= refused 'another processor' 'this machine is riscv64'
FAKE_ARCH=$(dpkg --print-architecture)
FAKE_UID=1000 refused 'neither root nor sudo' 'needs root: .*libzip-dev.* run this as root or with sudo'
FAKE_UID=0
FAKE_APT='E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt)' \
    refused "apt's lock is held" "another package manager holds apt's lock"
FAKE_APT="E: Failed to fetch x  Temporary failure resolving 'mirror'" \
    refused 'no network' "can't reach its package servers"
FAKE_APT='E: Unable to locate package libzip-dev' \
    refused 'no such package' "apt's sources don't have it .*libzip-dev"
FAKE_APT='E: something else' \
    refused 'any other failure' 'failed: E: something else \(all that apt said is in .deps/bootstrap.log\)'

rm -rf "$TMPDIR/tree" "$TMPDIR/fake"
exit $status
