#!/bin/bash
# test-quick
# Who may know whom: tests/arrows/floors lists the rooms of src/ from the top.  A file includes headers, and uses symbols,
# of its own room and of lower floors, and no file uses one that uses it, by whatever way round.  What is not so yet is in
# tests/arrows/exceptions, each with a reason.  CONTRIBUTING.md shows the same floors.
exceptions=0 # there are; never more

status=0
build=$(cd "$AARDVARK_BUILD" && pwd)
judge() { # MOST FLOORS EXCEPTIONS SRC OBJ
    tests/arrows/edges "$4" "$5" >"$TMPDIR/edges"
    awk -v most="$1" -f tests/arrows/judge.awk input=floors "$2" input=exceptions "$3" input=edges "$TMPDIR/edges"
}
judge "$exceptions" tests/arrows/floors tests/arrows/exceptions src "$build/obj/src" >"$TMPDIR/verdict"
grep -q '^not ok' "$TMPDIR/verdict" && status=1
cat "$TMPDIR/verdict"

check() { # NAME COMMAND…
    if "${@:2}"; then echo "ok $1"; else
        echo "not ok $1"
        status=1
    fi
}
drawn() { awk '/^```floors/ { on = 1; next } /^```/ { on = 0 } on' CONTRIBUTING.md | tr -s ' '; }
check 'CONTRIBUTING.md draws the floors as they are' diff <(drawn) tests/arrows/floors

# ---- it can fail: a house of two floors, and what is wrong with it

house=$TMPDIR/house
begin() {
    rm -rf "$house"
    mkdir -p "$house"/{src,obj}/{high,low,side}
    printf 'high\nlow side\n' >"$house/floors"
    : >"$house/exceptions"
    echo 'void aard__b(void);' >"$house/src/low/b.h"
    echo 'void aard__s(void);' >"$house/src/side/s.h"
    echo 'void aard__a(void);' >"$house/src/high/a.h"
    printf '#include "low/b.h"\nvoid aard__a(void) { aard__b(); }\n' >"$house/src/high/a.c"
    echo 'void aard__c(void); void aard__b(void) { aard__c(); }' >"$house/src/low/b.c"
    echo 'void aard__c(void) {}' >"$house/src/low/c.c"
    echo 'void aard__s(void) {}' >"$house/src/side/s.c"
}
refused() { # MOST [TEXT…]: each is part of a line that is not ok; none: all is well
    local text file
    for file in "$house"/src/*/*.c; do
        file=${file#"$house/src/"} && [[ $file = low/unbuilt.c ]] ||
            gcc -w -I"$house/src" -c "$house/src/$file" -o "$house/obj/${file%.c}.o" || return
    done
    judge "$1" "$house/floors" "$house/exceptions" "$house/src" "$house/obj" >"$house/verdict"
    (($# > 1)) || ! grep -q '^not ok' "$house/verdict" || return
    for text in "${@:2}"; do grep -qF "$text" <(grep '^not ok' "$house/verdict") || return; done
}

begin
check 'a house in order passes' refused 0
begin
echo '#include "high/a.h"' >>"$house/src/low/b.c"
check 'an included header above' refused 0 'arrows: low/b -> high/a'
begin
echo '#include "high/a.h"' >>"$house/src/low/b.h"
check 'a header that includes one above' refused 0 'arrows: low/b -> high/a'
begin
echo 'void aard__a(void); void aard__d(void) { aard__a(); }' >>"$house/src/low/c.c"
check 'a function above, declared by hand' refused 0 'arrows: low/c -> high/a (aard__a)'
begin
echo '#include "side/s.h"' >>"$house/src/low/c.c"
check 'another room of the same floor' refused 0 'arrows: low/c -> side/s'
begin
echo 'void aard__b(void); void aard__d(void) { aard__b(); }' >>"$house/src/low/c.c"
check 'two files that use each other' refused 0 'loops: '
echo 'low/c low/b: for now' >"$house/exceptions"
check 'unless one of the arrows is excepted' refused 1
check 'which makes them more' refused 0 'exceptions: 1 are listed'
check 'or fewer' refused 2 'exceptions: 1 are listed'
begin
echo 'low/b low/c: for now' >"$house/exceptions"
check 'an exception for what is allowed' refused 1 'exceptions: low/b low/c is allowed'
begin
echo 'low/b high/a: for now' >"$house/exceptions"
check 'an exception for what is not there' refused 1 'exceptions: low/b high/a is not an arrow'
begin
echo '#include "high/a.h"' >>"$house/src/low/b.c"
echo 'low/b high/a' >"$house/exceptions"
check 'an exception without a reason' refused 1 'exceptions: low/b has no reason'
begin
echo 'high' >"$house/floors"
check 'a room that is not on the list' refused 0 'rooms: low (of low/'
begin
printf 'high\nlow side\ncellar\n' >"$house/floors"
check 'a room that is only on the list' refused 0 'rooms: cellar is'
begin
touch "$house/src/low/boot.js"
check 'a script in a room of C' refused 0 'rooms: low/boot.js'
begin
touch "$house/src/low/unbuilt.c"
check 'a file that has not been compiled' refused 0 'built: low/unbuilt'
rm -rf "$house" "$TMPDIR/edges" "$TMPDIR/verdict"
exit $status
