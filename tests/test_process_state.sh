#!/bin/bash
# test-quick
# Every variable that lasts as long as the process stands in the register of what a fork does about it (base/process.h), in the
# file that defines it, and nothing else does.  Threads' own variables do not: the thread that forks goes on.
# Tables that can't be written are none; neither are the command's, which never forks.
export LC_ALL=C
status=0

variables() { # OBJ-DIRECTORY: "file variable", of what is defined in the objects
    local object
    find "$1" -name '*.o' ! -path '*/cli/*' | while read -r object; do
        local source=${2-src}${object#"$1"}
        [ -e "${source%.o}.c" ] || [ -e "${source%.o}.cc" ] || continue # of a file that has moved
        objdump -t "$object" | awk '$2 != "d" && ($0 ~ /[ \t]\.(bss|data)(\.[^r][^ \t]*|\.rel\.local)?[ \t]/) && $2 != "l d" { print $NF }' |
            c++filt | grep -v -e '^guard variable' -e '^aard_process$' -e '^\.' -e '^__' |
            sed -E 's/.*:://; s/\.[0-9]+$//' | sed "s|^|${object#"$1"/} |"
    done | sed 's/\.o / /' | sort -u
}

registered() { # SRC-DIRECTORY: the same, of what the sources register
    local source
    grep -rlE 'AARD__PROCESS_(STATE|KEEPS)\(' "$1" --include='*.c' --include='*.cc' | while read -r source; do
        local name=${source#"$1"/}
        # id, "name", "variables"…: texts that stand side by side are one
        tr '\n' ' ' <"$source" | grep -oE 'AARD__PROCESS_(STATE|KEEPS)\([a-z0-9_]+, *"[^"]*"( *"[^"]*")*, *"[^"]*"( *"[^"]*")*' |
            sed -E 's/" +"//g; s/.*, *"([^"]*)"$/\1/' | tr ' ' '\n' | sed "/^$/d; s|^|${name%.*} |"
    done | sort -u
}

compare() { # SRC OBJ
    diff <(registered "$1") <(variables "$2" "$1") | sed -n 's/^> \(.*\)/not registered: \1/p; s/^< \(.*\)/registered, and not there: \1/p'
}

check() { # NAME COMMAND…
    if "${@:2}"; then echo "ok $1"; else
        echo "not ok $1"
        status=1
    fi
}

compare src "$AARDVARK_BUILD/obj/src" >"$TMPDIR/wrong"
cat "$TMPDIR/wrong"
check 'the register has every variable of the process' test ! -s "$TMPDIR/wrong"
check 'and is not empty' test "$(registered src | wc -l)" -gt 40

# ---- it can fail

mkdir -p "$TMPDIR"/house/{src,obj}/room
cat >"$TMPDIR/house/src/room/a.c" <<'C'
#define AARD__PROCESS_STATE(id, ...)
AARD__PROCESS_STATE(a, "what it is", "known "
                    "gone", 0);
static int known = 1, unknown;
static _Thread_local int mine;
static const char *const table[] = {"a"};
int a(void);
int a(void) { static int counter; return known++ + unknown++ + mine++ + counter++ + *table[0]; }
C
gcc -fPIC -c "$TMPDIR/house/src/room/a.c" -o "$TMPDIR/house/obj/room/a.o"
wanted='registered, and not there: room/a gone
not registered: room/a counter
not registered: room/a unknown'
check 'what is not registered, or not there, is told' test "$(compare "$TMPDIR"/house/{src,obj} | sort)" = "$(sort <<<"$wanted")"
rm -rf "$TMPDIR"/house "$TMPDIR/wrong"
exit $status
