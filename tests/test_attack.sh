#!/bin/bash
# A short form of `make attack`, with the templates of those attacks that are mended: what it finds has come back.
# test-timeout: 300
export ATTACK_DIR=$TMPDIR/attack ATTACK_SEED=${ATTACK_SEED-1} ATTACK_KINDS=${ATTACK_KINDS-A1} ATTACK_SECONDS=${ATTACK_SECONDS-15}
if "$AARDVARK_BUILD/tests/attack" >"$TMPDIR/log"; then echo "ok nothing of $ATTACK_KINDS is found"; else
    echo "not ok nothing of $ATTACK_KINDS is found"
    cat "$TMPDIR/log"
    status=1
fi
rm -rf "$ATTACK_DIR" "$TMPDIR/log"
exit "${status-0}"
